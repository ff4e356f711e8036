"""`python -m setoff.deploy.cli`: the `setoff` command without its script."""

import sys

from setoff.deploy.cli.main import main

sys.exit(main())
