"""The search index: folded keys of everything a caller might say, kept with each change."""

from __future__ import annotations
