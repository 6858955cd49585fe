import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.Security;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.PSource;
import javax.crypto.spec.SecretKeySpec;
import org.bouncycastle.asn1.gm.GMNamedCurves;
import org.bouncycastle.asn1.x9.X9ECParameters;
import org.bouncycastle.crypto.engines.SM2Engine;
import org.bouncycastle.crypto.params.ECDomainParameters;
import org.bouncycastle.crypto.params.ECPrivateKeyParameters;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

/**
 * Answers the questions of {@code kmscore-vectors run} with a Java provider.
 *
 * <p>Implementations: {@code bouncy-castle}, {@code sunjce-explicit} and {@code sunjce-default},
 * which differ in the parameters of OAEP. {@code --version} as the second argument prints the
 * version of the provider.
 */
public final class Responder {
    private static final HexFormat HEX = HexFormat.of();
    private static final int IV_SIZE = 12;
    private static final int MAX_CONTEXT = 65_535;
    private static final int MAX_PLAINTEXT = 6_144;
    private static final int SCALAR = 36; // the place of d in the PKCS#8 of the vectors
    private static final int TAG_SIZE = 16;

    private final Provider provider;
    private final boolean isExplicit;
    private final boolean isBouncyCastle;

    private Responder(String name) {
        switch (name) {
            case "bouncy-castle" -> provider = new BouncyCastleProvider();
            case "sunjce-explicit", "sunjce-default" -> provider = Security.getProvider("SunJCE");
            default -> throw new IllegalArgumentException("unknown implementation: " + name);
        }
        isBouncyCastle = name.equals("bouncy-castle");
        isExplicit = !name.equals("sunjce-default");
    }

    public static void main(String[] arguments) throws IOException, GeneralSecurityException {
        Responder responder = new Responder(arguments[0]);
        if (arguments.length > 1 && arguments[1].equals("--version")) {
            System.out.println(responder.version());
            return;
        }
        PrintStream output = new PrintStream(System.out, true, StandardCharsets.US_ASCII);
        BufferedReader input =
                new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            Map<?, ?> question = (Map<?, ?>) new Json(line).read();
            String operation = (String) question.get("operation");
            String answer = responder.answer(operation, (Map<?, ?>) question.get("inputs"));
            output.println("{\"id\": " + question.get("id") + ", " + answer + "}");
        }
    }

    /** The version of the provider; that of SunJCE is the version of the Java runtime. */
    private String version() {
        return isBouncyCastle ? provider.getVersionStr() : System.getProperty("java.version");
    }

    /** The part of an answer behind its ID, in ASCII. */
    private String answer(String operation, Map<?, ?> inputs) {
        try {
            return switch (operation) {
                case "encrypt" -> output("blob", encrypt(inputs));
                case "decrypt" -> output("plaintext", decrypt(inputs));
                case "asymmetric_decrypt" -> output("plaintext", asymmetricDecrypt(inputs));
                case "sm2_decrypt" -> output("msg", sm2Decrypt(inputs));
                default -> throw new UnsupportedException();
            };
        } catch (UnsupportedException exception) {
            return "\"unsupported\": true";
        } catch (RejectedException exception) {
            return "\"error\": \"decryption\"";
        } catch (RuntimeException | GeneralSecurityException exception) {
            return "\"crash\": \"" + escape(exception.toString()) + "\"";
        }
    }

    private static String escape(String text) {
        StringBuilder escaped = new StringBuilder();
        for (char character : text.toCharArray()) {
            boolean isPlain = character >= ' ' && character <= '~' && "\"\\".indexOf(character) < 0;
            escaped.append(isPlain ? character : String.format("\\u%04x", (int) character));
        }
        return escaped.toString();
    }

    private static String output(String name, byte[] value) {
        return "\"outputs\": {\"" + name + "\": \"" + HEX.formatHex(value) + "\"}";
    }

    // The format around an AEAD: SPEC.md, sections 3 to 5. A test that this part decides without
    // the provider says nothing about the provider, and is unsupported.

    private byte[] encrypt(Map<?, ?> inputs) throws GeneralSecurityException {
        byte[] iv = bytes(inputs, "iv");
        byte[] plaintext = bytes(inputs, "plaintext");
        support(plaintext.length <= MAX_PLAINTEXT);
        Cipher cipher = gcm(Cipher.ENCRYPT_MODE, inputs, iv);
        cipher.updateAAD(associatedData(inputs));
        return join(header(inputs), iv, cipher.doFinal(plaintext));
    }

    private byte[] decrypt(Map<?, ?> inputs) throws GeneralSecurityException {
        byte[] blob = bytes(inputs, "blob");
        byte[] header = header(inputs);
        int start = header.length + IV_SIZE;
        int size = blob.length - start - TAG_SIZE;
        support(size >= 0 && size <= MAX_PLAINTEXT);
        support(Arrays.equals(Arrays.copyOf(blob, header.length), header));
        byte[] iv = Arrays.copyOfRange(blob, header.length, start);
        Cipher cipher = gcm(Cipher.DECRYPT_MODE, inputs, iv);
        cipher.updateAAD(associatedData(inputs));
        return decrypt(() -> cipher.doFinal(blob, start, blob.length - start));
    }

    private static byte[] header(Map<?, ?> inputs) {
        byte[] keyId = text(inputs, "key_id").getBytes(StandardCharsets.US_ASCII);
        byte[] versionId = text(inputs, "key_version_id").getBytes(StandardCharsets.US_ASCII);
        byte[] first = {(byte) keyId.length};
        byte[] second = {(byte) versionId.length};
        byte[] suite = bytes(inputs, "suite_id");
        return join(new byte[] {'K', 'M', 'S', 1}, suite, first, keyId, second, versionId);
    }

    private static byte[] associatedData(Map<?, ?> inputs) {
        return join(header(inputs), canonicalize((List<?>) inputs.get("pairs")));
    }

    private static byte[] canonicalize(List<?> pairs) {
        List<byte[][]> encoded = new ArrayList<>();
        int size = 2;
        for (Object pair : pairs) {
            byte[] key = utf8((String) ((List<?>) pair).get(0));
            byte[] value = utf8((String) ((List<?>) pair).get(1));
            size += 4 + key.length + value.length;
            encoded.add(new byte[][] {key, value});
        }
        support(size <= MAX_CONTEXT);
        encoded.sort((one, other) -> Arrays.compareUnsigned(one[0], other[0]));
        byte[] canonical = encoded.isEmpty() ? new byte[0] : u16(encoded.size());
        for (byte[][] pair : encoded) {
            byte[] field = join(u16(pair[0].length), pair[0], u16(pair[1].length), pair[1]);
            canonical = join(canonical, field);
        }
        return canonical;
    }

    /** A text in UTF-8; one with a lone surrogate has no bytes, and is not for the library. */
    private static byte[] utf8(String text) {
        support(StandardCharsets.UTF_8.newEncoder().canEncode(text));
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] u16(int number) {
        return new byte[] {(byte) (number >> 8), (byte) number};
    }

    private static void support(boolean condition) {
        if (!condition) {
            throw new UnsupportedException();
        }
    }

    // The implementation under test. It alone decides about ciphertexts.

    private Cipher gcm(int mode, Map<?, ?> inputs, byte[] iv) throws GeneralSecurityException {
        String suiteId = text(inputs, "suite_id");
        boolean isSm4 = suiteId.equals("04");
        support(isSm4 ? isBouncyCastle : List.of("01", "02", "03").contains(suiteId));
        String algorithm = isSm4 ? "SM4" : "AES";
        Cipher cipher = Cipher.getInstance(algorithm + "/GCM/NoPadding", provider);
        var key = new SecretKeySpec(bytes(inputs, "key"), algorithm);
        cipher.init(mode, key, new GCMParameterSpec(8 * TAG_SIZE, iv));
        return cipher;
    }

    /**
     * Only the provider runs in {@code call}. The exceptions of its {@code throws} clause are
     * rejections; an unchecked exception is a crash.
     */
    private static byte[] decrypt(Callable<byte[]> call) {
        try {
            return call.call();
        } catch (RuntimeException exception) {
            throw exception;
        } catch (Exception exception) {
            throw new RejectedException();
        }
    }

    private byte[] asymmetricDecrypt(Map<?, ?> inputs) throws GeneralSecurityException {
        byte[] ciphertext = bytes(inputs, "ciphertext");
        String algorithm = text(inputs, "algorithm");
        support(algorithm.equals("SM2PKE") == text(inputs, "key_spec").equals("EC_SM2"));
        return switch (algorithm) {
            case "RSAES_OAEP_SHA_256" -> oaep(inputs, ciphertext, "SHA-256");
            case "RSAES_OAEP_SHA_1" -> oaep(inputs, ciphertext, "SHA-1");
            case "SM2PKE" -> sm2(bytes(inputs, "d"), encoding(ciphertext), ciphertext);
            default -> throw new UnsupportedException();
        };
    }

    private byte[] oaep(Map<?, ?> inputs, byte[] ciphertext, String hash)
            throws GeneralSecurityException {
        var encoded = new PKCS8EncodedKeySpec(bytes(inputs, "private_key"));
        PrivateKey key = KeyFactory.getInstance("RSA").generatePrivate(encoded);
        Cipher cipher;
        if (isExplicit) {
            cipher = Cipher.getInstance("RSA/ECB/OAEPPadding", provider);
            var mgf1 = new MGF1ParameterSpec(hash);
            var label = PSource.PSpecified.DEFAULT;
            cipher.init(
                    Cipher.DECRYPT_MODE, key, new OAEPParameterSpec(hash, "MGF1", mgf1, label));
        } else {
            String padding = "OAEPWith" + hash + "AndMGF1Padding";
            cipher = Cipher.getInstance("RSA/ECB/" + padding, provider);
            cipher.init(Cipher.DECRYPT_MODE, key);
        }
        return decrypt(() -> cipher.doFinal(ciphertext));
    }

    private byte[] sm2Decrypt(Map<?, ?> inputs) {
        byte[] scalar = Arrays.copyOfRange(bytes(inputs, "privateKeyPkcs8"), SCALAR, SCALAR + 32);
        return sm2(scalar, text(inputs, "encoding"), bytes(inputs, "ct"));
    }

    private static String encoding(byte[] ciphertext) {
        return ciphertext.length > 0 && ciphertext[0] == 0x30 ? "ASN1_DER" : "C1C3C2";
    }

    private byte[] sm2(byte[] scalar, String encoding, byte[] ciphertext) {
        support(isBouncyCastle && !encoding.equals("ASN1_DER")); // the engine reads no DER
        X9ECParameters curve = GMNamedCurves.getByName("sm2p256v1");
        var domain = new ECDomainParameters(curve.getCurve(), curve.getG(), curve.getN());
        SM2Engine engine = new SM2Engine(SM2Engine.Mode.valueOf(encoding));
        engine.init(false, new ECPrivateKeyParameters(new BigInteger(1, scalar), domain));
        return decrypt(() -> engine.processBlock(ciphertext, 0, ciphertext.length));
    }

    private static String text(Map<?, ?> inputs, String name) {
        return (String) inputs.get(name);
    }

    private static byte[] bytes(Map<?, ?> inputs, String name) {
        return HEX.parseHex(text(inputs, name));
    }

    private static byte[] join(byte[]... parts) {
        byte[] joined = new byte[Arrays.stream(parts).mapToInt(part -> part.length).sum()];
        int offset = 0;
        for (byte[] part : parts) {
            System.arraycopy(part, 0, joined, offset, part.length);
            offset += part.length;
        }
        return joined;
    }

    /** The provider rejects a ciphertext. */
    private static final class RejectedException extends RuntimeException {}

    /** The question is not one for the provider. */
    private static final class UnsupportedException extends RuntimeException {}

    /** A reader for JSON (RFC 8259) that the runner has written; integers stay texts. */
    private static final class Json {
        private static final String ESCAPES = "\"\\/bfnrt";
        private static final String ESCAPED = "\"\\/\b\f\n\r\t";

        private final String text;
        private int next;

        Json(String text) {
            this.text = text;
        }

        Object read() {
            return switch (peek()) {
                case '{' -> object();
                case '[' -> list();
                case '"' -> string();
                default -> literal();
            };
        }

        private Map<String, Object> object() {
            Map<String, Object> members = new HashMap<>();
            expect('{');
            while (hasNext('}', members.isEmpty())) {
                String name = string();
                expect(':');
                members.put(name, read());
            }
            return members;
        }

        private List<Object> list() {
            List<Object> items = new ArrayList<>();
            expect('[');
            while (hasNext(']', items.isEmpty())) {
                items.add(read());
            }
            return items;
        }

        /** Reads the end of an object or list, or the comma before each item but the first. */
        private boolean hasNext(char end, boolean isFirst) {
            if (peek() == end) {
                next++;
                return false;
            }
            if (!isFirst) {
                expect(',');
            }
            return true;
        }

        private String string() {
            expect('"');
            StringBuilder characters = new StringBuilder();
            while (text.charAt(next) != '"') {
                characters.append(character());
            }
            next++;
            return characters.toString();
        }

        private char character() {
            char character = text.charAt(next++);
            if (character != '\\') {
                return character;
            }
            char escape = text.charAt(next++);
            if (escape != 'u') {
                return ESCAPED.charAt(ESCAPES.indexOf(escape));
            }
            next += 4;
            return (char) Integer.parseInt(text.substring(next - 4, next), 16);
        }

        private Object literal() {
            int start = next;
            while (",]} ".indexOf(text.charAt(next)) < 0) {
                next++;
            }
            String word = text.substring(start, next);
            return switch (word) {
                case "null" -> null;
                case "true" -> true;
                case "false" -> false;
                default -> String.valueOf(Long.parseLong(word));
            };
        }

        /** The next character that is not a space, the only white space of the runner. */
        private char peek() {
            while (text.charAt(next) == ' ') {
                next++;
            }
            return text.charAt(next);
        }

        private void expect(char character) {
            if (peek() != character) {
                throw new IllegalArgumentException("no " + character + " at " + next);
            }
            next++;
        }
    }
}
