"""Guards: what is looked for in requests and answers, and what a finding does to them.

``reading`` finds, ``request`` judges a request, ``masking`` replaces personal data and ``restoring`` puts it
back, ``watching`` checks answers; ``answers`` takes an answer apart and puts it together again for both.
"""
