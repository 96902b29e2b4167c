"""The dashboard: pages on the published snapshot. Needs the extra `web`; nothing below imports it."""
