"""Whether the time of a rejection shows its cause: `python -m benchmarks.timing`.

All faults of a ciphertext that only the key can find give one `DecryptionError`. Here they are also
compared by time, as in dudect (Reparaz, Balasch, Verbauwhede: Dude, is my code constant time?,
DATE 2017): the classes of rejected inputs take turns in random order, and Welch's t-test compares
the times of each pair of classes.

- A value of |t| above 4.5 is suspicious, and above 10 it is certain.
- All inputs are new in each round, and they are copied in a random order that is not the order of
  the measurement. So the place of an input in memory does not depend on its class.
- Each pair is compared at several percentiles of all times, because interruptions of the machine
  make a few times very long. The difference that is shown is that up to the percentile. It is
  less than the leak, in our runs down to a quarter, because the longest times are left out.
- One class of each subject is there twice. The two must not differ: the negative control.
- `--leaks` adds a known time to one class: the positive control. It shows the smallest leak that
  the measurement finds, so the absence of a difference has a meaning.

A difference that is public by contract is not compared. An attacker can compute each of these
without the key:

- the lengths of a ciphertext, and of the encryption context;
- a header that does not parse or names another key version, which has its own error;
- an RSA ciphertext that is not as long as the modulus, or not below it;
- an SM2 ciphertext that does not parse, or whose C1 is not on the curve.

For the same reason, "a valid OAEP padding around a message of a wrong length" is not a class: each
message that fits in the padding is decrypted. The nearest class is a ciphertext that is valid
under the other hash.
"""
