"""The constants that searches found have the properties for which they were searched."""

from collections.abc import Callable
from math import gcd, prod

import pytest

from kmscore_vectors.generator import affine
from kmscore_vectors.generator.affine import BASE, PRIME, finite, kdf, multiply
from kmscore_vectors.generator.keys import rsa_private
from kmscore_vectors.generator.keys.published import ARNAULT, RSA_KEYS, SM2_PUBLIC_POINT
from kmscore_vectors.generator.keys.sm2_private import SHORT_SCALARS
from kmscore_vectors.generator.oaep import HASH_NAMES, RsaTestKey
from kmscore_vectors.generator.rsa_oaep.cases import MESSAGE, Maker
from kmscore_vectors.generator.rsa_oaep.valid_ciphertexts import ZERO_CIPHERTEXTS, ZERO_ENCODINGS
from kmscore_vectors.generator.service_api.table import ACTIONS
from kmscore_vectors.generator.sm2pke import points
from kmscore_vectors.generator.sm2pke.cases import PADDING_LENGTHS
from kmscore_vectors.generator.sm2pke.points import Multiple

_C1 = (*points.SHORT_C1, *points.SIGN_BITS)
_OFF_BY_B = {
    **points.SMALL_ORDERS,
    "twist": points.TWISTED,
    "P-256": points.P256_BASE,
}


def _difference(point: tuple[int, int]) -> int:
    """Return y^2 - x^3 - ax - b modulo p, which is 0 on the curve."""
    x, y = point
    return (y * y - x**3 - affine.COEFFICIENT_A * x - affine.COEFFICIENT_B) % PRIME


@pytest.mark.parametrize(
    ("base", "multiple"),
    [
        *((finite(BASE), multiple) for multiple in _C1),
        *((SM2_PUBLIC_POINT, multiple) for multiple in points.SHORT_SHARED),
    ],
)
def test_a_multiple_has_coordinates_of_the_given_lengths(
    base: tuple[int, int], multiple: Multiple
) -> None:
    """The product of k and the point has as many bits as the table says."""
    x, y = finite(multiply(multiple.k, base))
    assert (x.bit_length(), y.bit_length()) == (multiple.x_bits, multiple.y_bits)


def test_the_short_multiples_cover_every_form() -> None:
    """Each coordinate is short by one and by two bytes, with and without a sign byte in DER."""
    for multiples in (points.SHORT_C1, points.SHORT_SHARED):
        for bits in (
            {multiple.x_bits for multiple in multiples},
            {multiple.y_bits for multiple in multiples},
        ):
            assert {248, 240} < bits
            assert bits & set(range(241, 248))
            assert bits & set(range(233, 240))
        assert any(max(x, y) <= 248 for _, x, y in multiples)
    firsts = {(x > 255, y > 255) for _, x, y in points.SIGN_BITS}
    assert len(firsts) == 4


@pytest.mark.parametrize(("k", "first"), [(points.FIRST_04_K, 0x04), (points.FIRST_30_K, 0x30)])
def test_x1_begins_with_the_first_byte_of_an_encoding(k: int, first: int) -> None:
    """The first byte of the bare encoding is that of another encoding."""
    assert finite(multiply(k, BASE))[0] >> 248 == first


@pytest.mark.parametrize(
    ("k", "has_zeros"),
    [
        (points.FIRST_00_K, lambda t: t[0] == 0),
        (points.FIRST_0000_K, lambda t: t[:2] == bytes(2)),
        (points.SECOND_00_K, lambda t: t[1] == 0 != t[0]),
        (points.LAST_00_K, lambda t: t[18] == 0 != t[0]),
        (points.BLOCK_ENDS_00_K, lambda t: t[31] == 0),
        (points.SECOND_BLOCK_00_K, lambda t: t[32] == 0 != t[0]),
        (points.SECOND_BLOCK_0000_K, lambda t: t[32:34] == bytes(2)),
        (points.THIRD_BLOCK_00_K, lambda t: t[64] == 0 != t[32]),
        (points.ENDS_00_K, lambda t: t[0] == t[18] == 0),
        (points.ACROSS_0000_K, lambda t: t[31:33] == bytes(2)),
    ],
)
def test_t_has_zeros_at_the_given_places(k: int, has_zeros: Callable[[bytes], bool]) -> None:
    """The output of the KDF under the key of the tests is 00 there."""
    x2, y2 = (n.to_bytes(32, "big") for n in finite(multiply(k, SM2_PUBLIC_POINT)))
    assert has_zeros(kdf(x2 + y2, 65))


@pytest.mark.parametrize(
    "point",
    [
        points.SMALL_X,
        points.SMALL_Y,
        points.ZERO_X,
        points.LARGEST_X,
        points.LARGEST_Y,
        points.LONGEST_X,
        points.LONGEST_Y,
    ],
)
def test_an_extreme_point_is_on_the_curve_modulo_p(point: tuple[int, int]) -> None:
    """The equation of the curve holds modulo p."""
    assert _difference(point) == 0


def test_no_point_has_a_larger_x() -> None:
    """For x = p - 1 the curve has no point, so that p - 2 is the largest x."""
    square = (-1 - affine.COEFFICIENT_A + affine.COEFFICIENT_B) % PRIME
    assert pow(square, (PRIME - 1) // 2, PRIME) == PRIME - 1
    assert points.LARGEST_X[0] == PRIME - 2


@pytest.mark.parametrize("order", points.SMALL_ORDERS)
def test_a_point_of_small_order_has_that_order(order: int) -> None:
    """The order is prime, so that no smaller multiple is the point at infinity."""
    point = points.SMALL_ORDERS[order]
    assert multiply(order, point) is None
    assert multiply(1, point) == point


@pytest.mark.parametrize("name", _OFF_BY_B)
def test_a_point_of_another_curve_is_not_on_this_one(name: int | str) -> None:
    """The equation of the curve does not hold, and the coordinates are below p."""
    point = _OFF_BY_B[name]
    assert _difference(point) != 0
    assert max(point) < PRIME


def test_the_point_of_the_twist_has_the_other_sign() -> None:
    """The equation holds for -y^2."""
    x, y = points.TWISTED
    assert _difference((x, y)) == 2 * y * y % PRIME


@pytest.mark.parametrize("algorithm", HASH_NAMES)
@pytest.mark.parametrize("spec", RSA_KEYS)
def test_the_numbered_seeds_give_two_leading_zeros(spec: str, algorithm: str) -> None:
    """The ciphertext begins with 00 00, and EM, whose first byte is always 00, with 00 00 00."""
    maker = Maker(spec, next(each for each in HASH_NAMES if each == algorithm))
    for comment, numbers, output, zeros in (
        ("the ciphertext begins with 00 00", ZERO_CIPHERTEXTS, "ciphertext", 2),
        ("EM begins with 00 00 00", ZERO_ENCODINGS, "EM", 3),
    ):
        case = maker.valid("", "", MESSAGE, maker.seed(f"{comment} {numbers[maker.name]}"))
        value = str((case.inputs | case.trace)[output])
        assert value.startswith("00" * zeros)


_RSA_BITS = {
    2048: rsa_private.SMALL_EXPONENTS,
    (1280, 768): rsa_private.UNEQUAL,
    (2048, 1024): rsa_private.LONGEST_PRIME,
    (2049, 2047): rsa_private.TOO_LONG_PRIME,
    **rsa_private.OTHER_LENGTHS,
}


def _is_probably_prime(number: int) -> bool:
    """Return whether a number passes Fermat's test with three bases."""
    return all(pow(base, number - 1, number) == 1 for base in (2, 3, 65_537))


@pytest.mark.parametrize("bits", _RSA_BITS)
def test_an_rsa_key_has_primes_of_the_given_bits(bits: int | tuple[int, int]) -> None:
    """Both factors are primes, and they or the modulus have the given number of bits."""
    key: RsaTestKey = _RSA_BITS[bits]
    assert _is_probably_prime(key.p)
    assert _is_probably_prime(key.q)
    lengths = (
        key.n.bit_length() if isinstance(bits, int) else (key.p.bit_length(), key.q.bit_length())
    )
    assert lengths == bits


def test_the_key_for_small_exponents_takes_the_largest_exponent_as_well() -> None:
    """2^32 - 1, which is a multiple of 3, has an inverse modulo phi(n)."""
    assert gcd(rsa_private.SMALL_EXPONENTS.phi, 2**32 - 1) == 1
    assert (2**32 - 1) % 3 == 0


def test_three_primes_make_a_modulus_of_2048_bits() -> None:
    """Only the number of primes is wrong."""
    primes = rsa_private.THREE_PRIMES
    assert all(map(_is_probably_prime, primes))
    assert prod(primes).bit_length() == 2048


def test_the_carmichael_number_passes_the_test_of_fermat() -> None:
    """The factors are primes, and each without 1 divides the product without 1 (Korselt)."""
    factors = rsa_private.CARMICHAEL_FACTORS
    number = prod(factors)
    assert all(map(_is_probably_prime, factors))
    assert all((number - 1) % (factor - 1) == 0 for factor in factors)
    assert number.bit_length() == 1024
    assert _is_probably_prime(number)


def _is_strong_pseudoprime(number: int, base: int) -> bool:
    """Return whether a number passes the test of Miller and Rabin with a base."""
    twos = (number - 1 & 1 - number).bit_length() - 1
    powers = [pow(base, number - 1 >> shift, number) for shift in range(1, twos + 1)]
    return powers[-1] == 1 or number - 1 in powers


def test_the_number_of_arnault_passes_the_test_of_miller_and_rabin_with_small_bases() -> None:
    """It is composite, and no base below 307 shows that."""
    assert len(str(ARNAULT)) == 397
    assert all(_is_strong_pseudoprime(ARNAULT, base) for base in range(2, 307))
    assert not _is_strong_pseudoprime(ARNAULT, 307)
    assert _is_probably_prime(rsa_private.OF_731_BITS)
    assert (ARNAULT * rsa_private.OF_731_BITS).bit_length() == 2048


@pytest.mark.parametrize("first", SHORT_SCALARS)
def test_a_short_scalar_begins_with_the_given_bytes(first: str) -> None:
    """The name of a scalar is the beginning of its 32 bytes, of which the first is 00."""
    scalar = SHORT_SCALARS[first].to_bytes(32, "big")
    assert scalar[0] == 0
    assert scalar.startswith(bytes.fromhex(first))


def test_the_padding_lengths_surround_the_ends_of_the_blocks_of_sm3() -> None:
    """SM3 has 9 bytes of padding or more, so 55 modulo 64 is the last that needs no block."""
    blocks = {length: (64 + length + 9 + 63) // 64 for length in range(256)}
    ends = {length for length in range(184) if blocks[length] < blocks[length + 1]}
    assert {55, 119, 183} <= ends
    assert {length + more for length in (55, 119, 183) for more in (0, 1)} <= {*PADDING_LENGTHS}


def test_the_ligatures_are_the_only_ones_that_fold_to_a_part_of_a_known_name() -> None:
    """No other character of more than one folded letter folds to a part of a name in ASCII."""
    names = {name.casefold() for row in ACTIONS.values() for name in (*row.required, *row.optional)}
    names |= {"action", "dryrun"}
    folded = {chr(point): chr(point).casefold() for point in range(0x80, 0x110000)}
    found = {
        character
        for character, text in folded.items()
        if text.isascii() and any(text in name for name in names)
    }
    assert found == {"\u017f", "\u212a", "\ufb05", "\ufb06"}
