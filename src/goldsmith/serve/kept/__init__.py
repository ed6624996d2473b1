"""Kept traffic: on wish, what passes the gateway is kept for some days, and a dataset is made of what people asked.

Off by default. A rule says for one alias, or for all that has no rule of its own, which share is kept, for how long,
and what is taken out of the texts. The gateway hands over what it saw; everything else happens behind it.
"""
