"""PDFs drawn by reportlab: a plain value in, bytes out."""
