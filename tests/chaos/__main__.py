"""``python -m chaos``, with tests/ on the path: `make chaos` does it."""

from __future__ import annotations

import sys

from chaos.run import main

sys.exit(main())
