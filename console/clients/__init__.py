"""The outside world over HTTP and SMTP: one client class per server."""
