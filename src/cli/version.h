/* SPDX-License-Identifier: Apache-2.0 */
/* The version, from the build (meson.build's project line). */
#ifndef SLUICE_CLI_VERSION_H
#define SLUICE_CLI_VERSION_H

#ifndef SL_VERSION
#error "the build defines SL_VERSION"
#endif

#endif
