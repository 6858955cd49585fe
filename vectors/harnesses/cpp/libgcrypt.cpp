// libgcrypt: AES and SM4 in GCM, RSAES-OAEP, and SM2, whose C1, C3 and C2 it takes one by one.
//
// It reads no PKCS#8: the numbers of an RSA key are read here. The test vectors have whole keys.

#include <memory>
#include <type_traits>

#include <gcrypt.h>

#include "format.hpp"

namespace {

template <typename Handle>
using Owned = std::unique_ptr<std::remove_pointer_t<Handle>, void (*)(Handle)>;
using Expression = Owned<gcry_sexp_t>;
using Cipher = Owned<gcry_cipher_hd_t>;

// A failure that is not a rejection of the ciphertext.
void require(gcry_error_t error) {
    if (error) throw std::runtime_error(gcry_strerror(error));
}

Cipher start(int algorithm, const Bytes &key, const Bytes &iv, const Bytes &associated_data) {
    gcry_cipher_hd_t handle = nullptr;
    require(gcry_cipher_open(&handle, algorithm, GCRY_CIPHER_MODE_GCM, 0));
    Cipher cipher(handle, gcry_cipher_close);
    require(gcry_cipher_setkey(handle, key.data(), key.size()));
    require(gcry_cipher_setiv(handle, iv.data(), iv.size()));
    require(gcry_cipher_authenticate(handle, associated_data.data(), associated_data.size()));
    require(gcry_cipher_final(handle));
    return cipher;
}

Aead gcm(int algorithm) {
    return {
        [algorithm](const Bytes &key, const Bytes &iv, const Bytes &associated_data,
               const Bytes &plaintext) {
            Bytes sealed(plaintext.size() + TAG_LENGTH);
            const Cipher cipher = start(algorithm, key, iv, associated_data);
            require(gcry_cipher_encrypt(cipher.get(), sealed.data(), plaintext.size(),
                                        plaintext.data(), plaintext.size()));
            std::uint8_t *tag = sealed.data() + plaintext.size();
            require(gcry_cipher_gettag(cipher.get(), tag, TAG_LENGTH));
            return sealed;
        },
        [algorithm](const Bytes &key, const Bytes &iv, const Bytes &associated_data,
               const Bytes &ciphertext, const Bytes &tag) {
            Bytes plaintext(ciphertext.size());
            const Cipher cipher = start(algorithm, key, iv, associated_data);
            require(gcry_cipher_decrypt(cipher.get(), plaintext.data(), plaintext.size(),
                                        ciphertext.data(), ciphertext.size()));
            if (gcry_cipher_checktag(cipher.get(), tag.data(), tag.size())) throw Rejection();
            return plaintext;
        },
    };
}

template <typename... Arguments> Expression build(const char *format, Arguments... arguments) {
    gcry_sexp_t built = nullptr;
    require(gcry_sexp_build(&built, nullptr, format, arguments...));
    return Expression(built, gcry_sexp_release);
}

Bytes decrypt(const Expression &data, const Expression &key) {
    gcry_sexp_t result = nullptr;
    if (gcry_pk_decrypt(&result, data.get(), key.get())) throw Rejection();
    const Expression value(result, gcry_sexp_release);
    std::size_t length = 0;
    const char *plaintext = gcry_sexp_nth_data(value.get(), 1, &length);
    return plaintext ? Bytes(plaintext, plaintext + length) : Bytes();
}

// The content of the DER element at an offset, which is moved behind its head.
Bytes element(const Bytes &der, std::size_t &offset) {
    std::size_t length = der.at(offset + 1);
    offset += 2;
    if (length > 0x80) {
        const std::size_t end = offset + (length & 0x7f);
        for (length = 0; offset < end; ++offset) length = length << 8 | der.at(offset);
    }
    const auto content = der.begin() + static_cast<std::ptrdiff_t>(offset);
    return {content, content + static_cast<std::ptrdiff_t>(length)};
}

Bytes decrypt_rsa(const Json &inputs, const char *hash) {
    const Bytes der = bytes(inputs.at("private_key")), ciphertext = bytes(inputs.at("ciphertext"));
    std::size_t offset = 0;
    element(der, offset);                         // PrivateKeyInfo
    for (int skipped = 0; skipped < 2; ++skipped) // its version and algorithm
        offset += element(der, offset).size();
    element(der, offset); // privateKey
    element(der, offset); // RSAPrivateKey
    offset += element(der, offset).size(); // its version
    Bytes numbers[3];                      // n, e, d
    for (Bytes &number : numbers) offset += (number = element(der, offset)).size();
    const auto &[n, e, d] = numbers;
    const auto size = [](const Bytes &data) { return static_cast<int>(data.size()); };
    const Expression key = build("(private-key(rsa(n %b)(e %b)(d %b)))", size(n), n.data(), size(e),
                                 e.data(), size(d), d.data());
    const Expression data = build("(enc-val(flags oaep)(hash-algo %s)(rsa(a %b)))", hash,
                                  size(ciphertext), ciphertext.data());
    return decrypt(data, key);
}

std::optional<Bytes> decrypt_sm2(const Json &inputs) {
    const Bytes ciphertext = bytes(inputs.at("ciphertext")), d = bytes(inputs.at("d"));
    const int c2_size = static_cast<int>(ciphertext.size()) - 65 - 32;
    if (c2_size < 0 || inputs.at("encoding") == "ASN1_DER") return {};
    const std::uint8_t *c1 = ciphertext.data(), *c3 = c1 + 65, *c2 = c3 + 32;
    if (inputs.at("encoding") == "C1C2C3") c3 = (c2 = c1 + 65) + c2_size;
    const Expression key =
        build("(private-key(ecc(curve sm2p256v1)(d %b)))", static_cast<int>(d.size()), d.data());
    const Expression data =
        build("(enc-val(flags sm2)(sm2(a %b)(b %b)(c %b)))", 65, c1, 32, c3, c2_size, c2);
    Bytes plaintext = decrypt(data, key); // a number: perhaps with a sign byte
    if (plaintext.size() > static_cast<std::size_t>(c2_size)) plaintext.erase(plaintext.begin());
    return plaintext;
}

std::optional<Bytes> asymmetric_decrypt(const Json &inputs) {
    const auto algorithm = inputs.at("algorithm").get<std::string>();
    if (algorithm == "RSAES_OAEP_SHA_256") return decrypt_rsa(inputs, "sha256");
    if (algorithm == "RSAES_OAEP_SHA_1") return decrypt_rsa(inputs, "sha1");
    if (algorithm == "SM2PKE") return decrypt_sm2(inputs);
    return {};
}

} // namespace

int main(int count, char **arguments) {
    const Library library = {
        gcry_check_version(GCRYPT_VERSION),
        {{"01", gcm(GCRY_CIPHER_AES256)},
         {"02", gcm(GCRY_CIPHER_AES192)},
         {"03", gcm(GCRY_CIPHER_AES128)},
         {"04", gcm(GCRY_CIPHER_SM4)}},
        asymmetric_decrypt,
    };
    gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
    gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
    return respond(library, count, arguments);
}
