// The protocol, and the parts of an operation that are this format's (SPEC.md sections 3 to 5).
//
// A test that these parts decide without the library says nothing about the library: it is not
// supported. That covers headers, lengths of blobs, plaintexts and contexts.

#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <iostream>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

using Bytes = std::vector<std::uint8_t>;
using Json = nlohmann::json;

// The library rejects a ciphertext, in a way that it documents. Any other exception is a crash.
struct Rejection : std::runtime_error {
    Rejection() : std::runtime_error("the library rejects the ciphertext") {}
};

struct Aead {
    // Returns ciphertext and tag together.
    std::function<Bytes(const Bytes &key, const Bytes &iv, const Bytes &associated_data,
                        const Bytes &plaintext)>
        encrypt;
    std::function<Bytes(const Bytes &key, const Bytes &iv, const Bytes &associated_data,
                        const Bytes &ciphertext, const Bytes &tag)>
        decrypt;
};

struct Library {
    std::string version;
    std::map<std::string, Aead> suites; // by suite ID
    // Returns nothing for an algorithm or a form of ciphertext that the library does not have. The
    // inputs also have `encoding`, the encoding of an SM2 ciphertext.
    std::function<std::optional<Bytes>(const Json &inputs)> asymmetric_decrypt;
};

inline const Json UNSUPPORTED = {{"unsupported", true}};
constexpr std::size_t MAX_PLAINTEXT = 6144, MAX_CONTEXT = 65535, IV_LENGTH = 12, TAG_LENGTH = 16;
constexpr std::size_t SCALAR = 72; // the place of d in the PKCS#8 of the vectors, in digits

inline Bytes bytes(const std::string &hexadecimal) {
    Bytes data;
    for (std::size_t at = 0; at < hexadecimal.size(); at += 2) {
        const int byte = std::stoi(hexadecimal.substr(at, 2), nullptr, 16);
        data.push_back(static_cast<std::uint8_t>(byte));
    }
    return data;
}

template <typename Data> std::string hex(const Data &data) {
    static const char digits[] = "0123456789abcdef";
    std::string text;
    for (std::uint8_t byte : data) (text += digits[byte >> 4]) += digits[byte & 15];
    return text;
}

inline void append(Bytes &data, std::string_view more) {
    data.insert(data.end(), more.begin(), more.end());
}

inline void append_u16(Bytes &data, std::size_t number) {
    data.push_back(static_cast<std::uint8_t>(number >> 8));
    data.push_back(static_cast<std::uint8_t>(number));
}

// std::string compares as unsigned bytes, as the format needs it.
inline Bytes canonical_context(const Json &inputs) {
    auto pairs = inputs.at("pairs").get<std::vector<std::pair<std::string, std::string>>>();
    std::sort(pairs.begin(), pairs.end());
    Bytes context;
    if (!pairs.empty()) append_u16(context, pairs.size());
    for (const auto &[key, value] : pairs)
        for (const auto &field : {key, value}) {
            append_u16(context, field.size());
            append(context, field);
        }
    return context;
}

inline Bytes header(const Json &inputs) {
    Bytes data = bytes("4b4d5301" + inputs.at("suite_id").get<std::string>());
    for (const char *name : {"key_id", "key_version_id"}) {
        const auto id = inputs.at(name).get<std::string>();
        data.push_back(static_cast<std::uint8_t>(id.size()));
        append(data, id);
    }
    return data;
}

inline Json encrypt(const Aead &suite, const Json &inputs, const Bytes &start,
                    const Bytes &associated_data) {
    const Bytes plaintext = bytes(inputs.at("plaintext")), iv = bytes(inputs.at("iv"));
    if (plaintext.size() > MAX_PLAINTEXT) return UNSUPPORTED;
    const Bytes sealed = suite.encrypt(bytes(inputs.at("key")), iv, associated_data, plaintext);
    Bytes blob = start;
    blob.insert(blob.end(), iv.begin(), iv.end());
    blob.insert(blob.end(), sealed.begin(), sealed.end());
    return {{"outputs", {{"blob", hex(blob)}}}};
}

inline Json decrypt(const Aead &suite, const Json &inputs, const Bytes &start,
                    const Bytes &associated_data) {
    const Bytes blob = bytes(inputs.at("blob"));
    if (blob.size() < start.size() + IV_LENGTH + TAG_LENGTH) return UNSUPPORTED;
    if (!std::equal(start.begin(), start.end(), blob.begin())) return UNSUPPORTED;
    const auto iv = blob.begin() + static_cast<std::ptrdiff_t>(start.size());
    const auto ciphertext = iv + IV_LENGTH, tag = blob.end() - TAG_LENGTH;
    if (static_cast<std::size_t>(tag - ciphertext) > MAX_PLAINTEXT) return UNSUPPORTED;
    const Bytes key = bytes(inputs.at("key"));
    const Bytes plaintext = suite.decrypt(key, {iv, ciphertext}, associated_data,
                                          {ciphertext, tag}, {tag, blob.end()});
    return {{"outputs", {{"plaintext", hex(plaintext)}}}};
}

inline Json decrypt_asymmetric(const Library &library, const Json &inputs, const char *output) {
    const auto plaintext = library.asymmetric_decrypt(inputs);
    return plaintext ? Json{{"outputs", {{output, hex(*plaintext)}}}} : UNSUPPORTED;
}

inline Json answer(const Library &library, const std::string &operation, Json inputs) {
    if (operation == "asymmetric_decrypt") {
        if ((inputs.at("algorithm") == "SM2PKE") != (inputs.at("key_spec") == "EC_SM2"))
            return UNSUPPORTED; // a key of another algorithm
        const bool is_der = inputs.at("ciphertext").get<std::string>().rfind("30", 0) == 0;
        inputs["encoding"] = is_der ? "ASN1_DER" : "C1C3C2";
        return decrypt_asymmetric(library, inputs, "plaintext");
    }
    if (operation == "sm2_decrypt") {
        inputs["algorithm"] = "SM2PKE";
        inputs["ciphertext"] = inputs.at("ct");
        inputs["d"] = inputs.at("privateKeyPkcs8").get<std::string>().substr(SCALAR, 64);
        return decrypt_asymmetric(library, inputs, "msg");
    }
    if (operation != "encrypt" && operation != "decrypt") return UNSUPPORTED;
    const auto suite = library.suites.find(inputs.at("suite_id"));
    const Bytes start = header(inputs), context = canonical_context(inputs);
    if (suite == library.suites.end() || context.size() > MAX_CONTEXT) return UNSUPPORTED;
    Bytes associated_data = start;
    associated_data.insert(associated_data.end(), context.begin(), context.end());
    const auto run = operation == "encrypt" ? encrypt : decrypt;
    return run(suite->second, inputs, start, associated_data);
}

// Print the version, or answer each question on standard input.
inline int respond(const Library &library, int count, char **arguments) {
    if (count == 2 && arguments[1] == std::string_view("--version")) {
        std::cout << library.version << std::endl;
        return 0;
    }
    for (std::string line; std::getline(std::cin, line);) {
        const Json question = Json::parse(line, nullptr, false);
        if (question.is_discarded()) {
            // The parser rejects lone surrogates, which only occur in unsupported operations.
            const std::string start = line.substr(0, line.find(','));
            std::cout << start << ", \"unsupported\": true}" << std::endl;
            continue;
        }
        Json result;
        try {
            result = answer(library, question.at("operation"), question.at("inputs"));
        } catch (const Rejection &) {
            result = {{"error", "decryption"}};
        } catch (const std::exception &error) {
            result = {{"crash", error.what()}};
        }
        result["id"] = question.at("id");
        std::cout << result.dump(-1, ' ', true, Json::error_handler_t::replace) << std::endl;
    }
    return 0;
}
