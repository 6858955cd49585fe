"""The portable backend: right results for every input, and blinding of every secret."""

import hmac
import itertools
import random
import secrets
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.samples import examples
from support.textbook_sm2 import (
    PUBLIC,
    SCALAR,
    SMALL_X,
    SMALL_Y,
    AffinePoint,
    G,
    N,
    P,
    Parts,
    add,
    decrypt,
    encrypt,
    multiply,
    negative,
    point_near,
    zero_kdf_scalar,
)

from kmscore import EncryptionAlgorithm, PublicKey, Sm2Key, asymmetric_encrypt, hazmat
from kmscore.sm2 import available_backends, scheme
from kmscore.sm2.backends import portable
from kmscore.sm2.curve import Point
from kmscore.sm2.encodings import Sm2Ciphertext

EDGE_SCALARS = [
    *(1, 2, 3, N - 1, N - 2, N // 2),
    *(2**128 - 1, 2**128, 2**128 + 1),
    *(2**power for power in (5, 31, 64, 127, 192, 224, 255)),
]
EDGE_POINTS = [G, negative(G), SMALL_X, SMALL_Y, point_near(0), PUBLIC]
CALLS = 150


@pytest.mark.parametrize("point", EDGE_POINTS)
@pytest.mark.parametrize("scalar", EDGE_SCALARS)
def test_multiplying_agrees_with_the_textbook_at_the_edges(scalar: int, point: AffinePoint) -> None:
    """For the least, the greatest and round scalars, the product is that of the textbook."""
    assert portable.multiply(scalar, Point(*point)) == multiply(scalar, point)


@examples(50)
@given(st.integers(1, N - 1), st.integers(0, P - 1).map(point_near))
def test_multiplying_agrees_with_the_textbook(scalar: int, point: AffinePoint) -> None:
    """For any scalar and any point, the product is that of the textbook."""
    assert portable.multiply(scalar, Point(*point)) == multiply(scalar, point)


@pytest.mark.parametrize("scalar", [1, SCALAR, N - 1])
@pytest.mark.parametrize(
    "draw",
    [
        lambda _bound: 0,
        lambda bound: bound - 1,
        lambda bound: 1 % bound,
        lambda bound: min(2**64, bound - 1),
    ],
    ids=["least", "greatest", "second", "2^64"],
)
def test_the_product_does_not_depend_on_the_blinding(
    scalar: int, draw: Callable[[int], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The extremes of r and of the starting coordinates give the same product."""
    monkeypatch.setattr(secrets, "randbelow", draw)
    assert portable.multiply(scalar, Point(*G)) == multiply(scalar, G)


def jacobian(point: AffinePoint | None) -> tuple[int, int, int]:
    """Return a random Jacobian form of a point, infinity included."""
    z = random.randrange(1, P)
    x, y = point or (1, 1)
    return x * z**2 % P, y * z**3 % P, z if point else 0


def affine(point: tuple[int, int, int]) -> AffinePoint | None:
    """Return the point that a Jacobian form represents."""
    x, y, z = point
    if z == 0:
        return None
    return x * pow(z, -2, P) % P, y * pow(z, -3, P) % P


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (G, G),
        (G, negative(G)),
        (None, G),
        (G, None),
        (None, None),
        (PUBLIC, G),
        (point_near(0), negative(point_near(0))),
        (SMALL_Y, SMALL_Y),
    ],
)
def test_addition_is_right_for_special_points(
    left: AffinePoint | None, right: AffinePoint | None
) -> None:
    """Equal, opposite and infinite points, each in other coordinates, are added correctly."""
    assert affine(portable._add(jacobian(left), jacobian(right))) == add(left, right)


@pytest.mark.parametrize("point", [*EDGE_POINTS, None])
def test_doubling_agrees_with_the_textbook(point: AffinePoint | None) -> None:
    """The double of a point is its sum with itself, also for infinity."""
    assert affine(portable._double(jacobian(point))) == add(point, point)


@given(st.integers(0, 2**257))
def test_the_window_digits_give_the_scalar(scalar: int) -> None:
    """Digits are 0 or odd from -15 to 15, with four zeros after each odd one, and add up to it."""
    digits = portable._window_digits(scalar)
    assert sum(digit << position for position, digit in enumerate(digits)) == scalar
    places = [position for position, digit in enumerate(digits) if digit]
    assert all(digits[place] % 2 and abs(digits[place]) <= 15 for place in places)
    assert all(later - place >= 5 for place, later in itertools.pairwise(places))


@pytest.fixture
def multiplied(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that records every factor of a multiplication: r, a and b of each call."""
    seen: list[int] = []
    window_digits = portable._window_digits

    def recorded(scalar: int) -> list[int]:
        seen.append(scalar)
        return window_digits(scalar)

    monkeypatch.setattr(portable, "_window_digits", recorded)
    return seen


def varying_bits(values: list[int]) -> set[int]:
    """Return the positions at which the values do not all have the same bit."""
    ones = zeros = 0
    for value in values:
        ones |= value
        zeros |= ~value
    return {position for position in range(257) if (ones & zeros) >> position & 1}


@pytest.mark.parametrize("scalar", [1, 2**128, SCALAR, N - 1], ids=["1", "2^128", "d", "n-1"])
def test_no_bit_of_a_factor_is_constant(scalar: int, multiplied: list[int]) -> None:
    """Over many calls with one scalar, each of the 128 bits of r, a and b has both values.

    Every digit from the 16th on is zero in some calls and not in others. The first digits depend on
    few bits, so some of them are zero too often for this check.

    This shows that no bit is constant, not that the values reveal nothing. The length of b is that
    of (d + n)/r. So the frequency of a bit from 128 on depends on the size of d + n, which is
    between n and 2n.
    """
    for _ in range(CALLS):
        portable.multiply(scalar, Point(*G))
    assert len(multiplied) == 3 * CALLS
    for values in (multiplied[0::3], multiplied[1::3], multiplied[2::3]):
        assert varying_bits(values) >= set(range(128))
        digits = [portable._window_digits(value) for value in values]
        for position in range(16, 120):
            column = {bool(row[position]) if position < len(row) else False for row in digits}
            assert column == {True, False}


def test_the_factors_give_the_scalar(multiplied: list[int]) -> None:
    """The parts satisfy a + b·r = d + n; r has 128 bits, a is below r, b has at least 128 bits.

    This holds even for the scalar 1. The scalar itself is never a factor.
    """
    for scalar in (1, 2, SCALAR, N - 1):
        for _ in range(10):
            multiplied.clear()
            portable.multiply(scalar, Point(*G))
            r, a, b = multiplied
            assert a + b * r == scalar + N
            assert 0 < r < 2**128
            assert a < r
            assert b.bit_length() >= 128
            assert scalar not in {a, b}


def test_adding_a_multiple_of_the_order_leaves_bits_constant() -> None:
    """With d + m·n for a random m of 64 bits, bits 192 to 223 are those of d, up to one borrow.

    The scalar is split for this reason.
    """
    window = SCALAR >> 192 & 0xFFFF_FFFF
    blinded = [SCALAR + random.getrandbits(64) * N for _ in range(1000)]
    assert {value >> 192 & 0xFFFF_FFFF for value in blinded} <= {window, window - 1}
    assert not varying_bits(blinded) >= set(range(194, 224))


def test_every_call_starts_from_random_coordinates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each multiplication starts from a random Jacobian form of the point."""
    forms: list[tuple[int, int, int]] = []
    odd_multiples = portable._odd_multiples

    def recorded(point: tuple[int, int, int]) -> list[tuple[int, int, int]]:
        forms.append(point)
        return odd_multiples(point)

    monkeypatch.setattr(portable, "_odd_multiples", recorded)
    for _ in range(50):
        portable.multiply(SCALAR, Point(*PUBLIC))
    starts = forms[0::2]
    assert [affine(form) for form in starts] == [PUBLIC] * 50
    for coordinate, plain in enumerate((*PUBLIC, 1)):
        values = [form[coordinate] for form in starts]
        assert len(set(values)) == 50
        assert plain not in values


def test_k_is_blinded_like_the_private_scalar(multiplied: list[int]) -> None:
    """Encryption, also with a given k, multiplies by parts of k + n and never by k."""
    key = PublicKey.from_der(Sm2Key.from_scalar("sm2", "v1", SCALAR).public_key.to_der())
    multiplied.clear()
    k = 2**200 + 1
    ciphertext = hazmat.sm2_encrypt(key, b"plaintext", k)
    assert ciphertext == encrypt(PUBLIC, b"plaintext", k).raw()
    rows = list(zip(multiplied[0::3], multiplied[1::3], multiplied[2::3], strict=True))
    assert [a + b * r for r, a, b in rows] == [k + N, k + N]
    assert len(set(multiplied)) == 6


def test_encryption_draws_k_and_multiplies_twice_by_it() -> None:
    """Every ciphertext has its own k in 1..n-1; C1 is k·G, and the shared point is k·P."""
    calls: list[tuple[int, Point]] = []

    def recorded(scalar: int, point: Point) -> Point:
        calls.append((scalar, point))
        return portable.multiply(scalar, point)

    encryptor = portable.load()._replace(multiply=recorded).encryptor(Point(*PUBLIC))
    for _ in range(3):
        parts = encryptor(b"plaintext")
        assert decrypt(SCALAR, Parts(*parts.c1, parts.c3, parts.c2)) == b"plaintext"
    assert [point for _, point in calls] == [Point(*PUBLIC), Point(*G)] * 3
    assert [k for k, _ in calls[0::2]] == [k for k, _ in calls[1::2]]
    assert len({k for k, _ in calls}) == 3
    assert portable.load().multiply is portable.multiply


def test_key_creation_never_multiplies_by_the_scalar(multiplied: list[int]) -> None:
    """The public point is computed from the parts of d + n, for a key of any backend."""
    available_backends()  # their self-tests multiply too
    multiplied.clear()
    Sm2Key.from_scalar("sm2", "v1", SCALAR)
    r, a, b = multiplied[:3]
    assert a + b * r == SCALAR + N
    assert SCALAR not in multiplied


@pytest.mark.parametrize(("drawn", "scalar"), [(0, 1), (N - 2, N - 1)])
def test_a_scalar_is_drawn_from_1_to_n_minus_1(
    drawn: int, scalar: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The least and the greatest output of the random source give the ends of the range."""
    bounds: list[int] = []

    def randbelow(bound: int) -> int:
        bounds.append(bound)
        return drawn

    monkeypatch.setattr(secrets, "randbelow", randbelow)
    assert scheme.draw_scalar() == scalar
    assert bounds == [N - 1]


@pytest.mark.parametrize("backend_name", ["portable", "gmssl"])
def test_encryption_draws_again_when_the_kdf_gives_zeros(
    backend_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A k with which C2 equals the plaintext is replaced by another one."""
    if backend_name not in available_backends():
        pytest.skip(f"the SM2 backend {backend_name} is not usable here")
    key = Sm2Key.from_scalar("sm2", "v1", SCALAR, backend=backend_name).public_key
    drawn: Iterator[int] = iter([zero_kdf_scalar(), zero_kdf_scalar(), 5])
    monkeypatch.setattr(scheme, "draw_scalar", lambda: next(drawn))
    ciphertext = asymmetric_encrypt(key, EncryptionAlgorithm.SM2PKE, b"!")
    assert ciphertext == encrypt(PUBLIC, b"!", 5).raw()


@pytest.mark.parametrize("verdict", [True, False])
def test_c3_is_compared_in_constant_time(verdict: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only `hmac.compare_digest` decides whether C3 is right, for a difference at any position."""
    compared: list[tuple[bytes, bytes]] = []

    def recorded(left: bytes, right: bytes) -> bool:
        compared.append((left, right))
        return verdict

    monkeypatch.setattr(hmac, "compare_digest", recorded)
    x, y, c3, c2 = encrypt(PUBLIC, b"plaintext", 7)
    decryptor = portable.load().decryptor(SCALAR, Point(*PUBLIC))
    for claimed in (c3, bytes(32), c3[:31] + bytes(1)):
        opened = decryptor(Sm2Ciphertext(Point(x, y), claimed, c2))
        assert opened == (b"plaintext" if verdict else None)
        assert set(compared.pop()) == {c3, claimed}
    assert compared == []
