package org.entente.interop;

import java.security.Key;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import org.eclipse.edc.runtime.metamodel.annotation.Inject;
import org.eclipse.edc.spi.EdcException;
import org.eclipse.edc.spi.security.Vault;
import org.eclipse.edc.spi.system.ServiceExtension;
import org.eclipse.edc.spi.system.ServiceExtensionContext;

/** An EDC in memory begins with an empty vault, but its data plane wants keys to sign the tokens of pulls with. */
public final class SigningKeys implements ServiceExtension {
    @Inject
    private Vault vault;

    @Override
    public void initialize(ServiceExtensionContext context) {
        final KeyPair pair;
        try {
            pair = KeyPairGenerator.getInstance("RSA").generateKeyPair();
        } catch (NoSuchAlgorithmException impossible) {
            throw new EdcException(impossible);
        }
        vault.storeSecret("token-signer", pem("PRIVATE KEY", pair.getPrivate()));
        vault.storeSecret("token-verifier", pem("PUBLIC KEY", pair.getPublic()));
    }

    private static String pem(String label, Key key) {
        final String text = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(key.getEncoded());
        return "-----BEGIN " + label + "-----\n" + text + "\n-----END " + label + "-----\n";
    }
}
