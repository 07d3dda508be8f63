/* SPDX-License-Identifier: Apache-2.0 */
/* Names made to fit Avro, as Debezium's schema.name.adjustment.mode and field.name.adjustment.mode do it. */
#ifndef SLUICE_CODEC_NAME_ADJUST_H
#define SLUICE_CODEC_NAME_ADJUST_H

enum sl_name_adjust { SL_NAME_ADJUST_NONE, SL_NAME_ADJUST_AVRO, SL_NAME_ADJUST_AVRO_UNICODE };

/* The name with what does not fit as _ (avro) or _uXXXX (avro_unicode); heap memory of the caller. */
char *sl_name_adjust(enum sl_name_adjust adjust, const char *name);

#endif
