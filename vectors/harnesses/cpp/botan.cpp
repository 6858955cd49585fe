// Botan 2: AES and SM4 in GCM, RSAES-OAEP, and SM2 in ASN1_DER, the only form that it decrypts.

#include <memory>

#include <botan/aead.h>
#include <botan/auto_rng.h>
#include <botan/data_src.h>
#include <botan/pk_keys.h>
#include <botan/pkcs8.h>
#include <botan/pubkey.h>
#include <botan/sm2.h>
#include <botan/version.h>

#include "format.hpp"

namespace {

using Secret = Botan::secure_vector<std::uint8_t>;

// Botan documents `Exception` as the base of its failures, and `Internal_Error` as its own fault.
template <typename Call> auto rejecting(Call call) {
    try {
        return call();
    } catch (const Botan::Internal_Error &) {
        throw;
    } catch (const Botan::Exception &) {
        throw Rejection();
    }
}

std::unique_ptr<Botan::AEAD_Mode> start(const char *name, Botan::Cipher_Dir direction,
                                        const Bytes &key, const Bytes &iv,
                                        const Bytes &associated_data) {
    auto mode = Botan::AEAD_Mode::create_or_throw(name, direction);
    mode->set_key(key);
    mode->set_associated_data_vec(associated_data);
    mode->start(iv);
    return mode;
}

Aead gcm(const char *name) {
    return {
        [name](const Bytes &key, const Bytes &iv, const Bytes &associated_data,
               const Bytes &plaintext) {
            Secret data(plaintext.begin(), plaintext.end());
            start(name, Botan::ENCRYPTION, key, iv, associated_data)->finish(data);
            return Bytes(data.begin(), data.end());
        },
        [name](const Bytes &key, const Bytes &iv, const Bytes &associated_data,
               const Bytes &ciphertext, const Bytes &tag) {
            Secret data(ciphertext.begin(), ciphertext.end());
            data.insert(data.end(), tag.begin(), tag.end());
            const auto mode = start(name, Botan::DECRYPTION, key, iv, associated_data);
            rejecting([&] { mode->finish(data); });
            return Bytes(data.begin(), data.end());
        },
    };
}

// `load_key` takes the PKCS#8 form of the vectors for an ECDSA key, so SM2 keys are made from d.
std::unique_ptr<Botan::Private_Key> load(const Json &inputs, Botan::RandomNumberGenerator &random) {
    if (inputs.contains("d")) {
        const Botan::BigInt d(bytes(inputs.at("d")));
        return std::make_unique<Botan::SM2_PrivateKey>(random, Botan::EC_Group("sm2p256v1"), d);
    }
    Botan::DataSource_Memory source(bytes(inputs.at("private_key")));
    return Botan::PKCS8::load_key(source);
}

std::optional<Bytes> asymmetric_decrypt(const Json &inputs) {
    static const std::map<std::string, std::string> paddings = {
        {"RSAES_OAEP_SHA_256", "OAEP(SHA-256)"}, // and MGF1 with the same hash
        {"RSAES_OAEP_SHA_1", "OAEP(SHA-1)"},
        {"SM2PKE", "SM3"},
    };
    static Botan::AutoSeeded_RNG random;
    const auto padding = paddings.find(inputs.at("algorithm"));
    const Bytes ciphertext = bytes(inputs.at("ciphertext"));
    const bool is_der = inputs.at("encoding") == "ASN1_DER";
    if (padding == paddings.end() || (padding->first == "SM2PKE" && !is_der)) return {};
    const auto key = load(inputs, random);
    Botan::PK_Decryptor_EME decryptor(*key, random, padding->second);
    const Secret plaintext = rejecting([&] { return decryptor.decrypt(ciphertext); });
    return Bytes(plaintext.begin(), plaintext.end());
}

} // namespace

int main(int count, char **arguments) {
    const Library library = {
        Botan::short_version_string(),
        {{"01", gcm("AES-256/GCM")},
         {"02", gcm("AES-192/GCM")},
         {"03", gcm("AES-128/GCM")},
         {"04", gcm("SM4/GCM")}},
        asymmetric_decrypt,
    };
    return respond(library, count, arguments);
}
