/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A self-signed certificate for a stand-in: RSA 2048, localhost and 127.0.0.1 to 127.0.0.9, ten years. It is
 * its own authority, so that a client may be given it as the one that it trusts.
 */
#ifndef SIM_BASE_CERTIFICATE_H
#define SIM_BASE_CERTIFICATE_H

#include <stdbool.h>

/* Write both files (the key readable by its owner alone). False with OpenSSL's reason in its error queue, or
 * errno's. */
bool sim_certificate_make(const char *cert_path, const char *key_path);

#endif
