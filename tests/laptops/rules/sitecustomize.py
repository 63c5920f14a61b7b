"""Python imports this at its start where this folder is on PYTHONPATH: TL_LAPTOP_RULES=windows or mac."""

import os

if os.environ.get("TL_LAPTOP_RULES") == "windows":
    import laptop_rules

    laptop_rules.windows()
elif os.environ.get("TL_LAPTOP_RULES") == "mac":
    import laptop_rules

    laptop_rules.mac()
