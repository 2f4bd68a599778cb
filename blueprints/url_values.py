"""The forms of values in addresses that several blueprints share."""

ROW_ID = "int(max=2147483647)"  # a larger number is no key in any table
