/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Floating-point numbers as Java writes them (Double.toString, Float.toString): the shortest digits that read
 * back as the same number, plain between 1e-3 and 1e7, else with an exponent: "1.0", "1.0E10", "NaN".
 */
#ifndef SLUICE_CODEC_NUMBER_TEXT_H
#define SLUICE_CODEC_NUMBER_TEXT_H

#include <stddef.h>

enum { SL_NUMBER_TEXT_SIZE = 40 };

/* Returns the length; the text ends in NUL. */
size_t sl_double_text(double number, char text[SL_NUMBER_TEXT_SIZE]);
size_t sl_float_text(float number, char text[SL_NUMBER_TEXT_SIZE]);

#endif
