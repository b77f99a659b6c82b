"""``python -m opslog`` is the command."""

from opslog.cli import main

raise SystemExit(main())
