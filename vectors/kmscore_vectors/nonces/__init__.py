"""The quality of the random values that an implementation draws: IVs, seeds of OAEP, k of SM2.

The runner asks for many encryptions of one message, checks each answer with the test key, recovers
the random value, and examines all values of an operation together. It has no view inside the
implementation. Therefore it cannot detect a generator that an attacker can predict, if the values
look uniform: for example SHA-256 of a counter, or a k with 128 random bits.

For an implementation with uniform values, the probability of a finding is below 2^-38 for one
operation, and below 2^-34 for a run. `bounds` has the bound of each count.
"""
