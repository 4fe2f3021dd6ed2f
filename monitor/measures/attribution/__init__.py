"""Why a number is what it is: what bins, values and groups add to it. Pure."""
