/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regular expressions as Java writes them, since connector configurations hold Java's: by PCRE2, which shares
 * nearly all of the dialect. What would mean something else there is refused with its reason: character class
 * intersection ("[a-z&&[^x]]") and unions ("[a[bc]]"). Case-insensitive matching folds all of Unicode, Java's
 * default only ASCII.
 *
 * For start and for new tables and topics, not for rows. Threads: a compiled expression may be used by
 * several at once.
 */
#ifndef SLUICE_BASE_REGEX_H
#define SLUICE_BASE_REGEX_H

#include "base/buf.h"
#include "sluice/error.h"

struct sl_regex;

enum { SL_REGEX_IGNORE_CASE = 1 };

/* Errors: CONFIG, naming the offset in the pattern. */
enum sl_rc sl_regex_compile(const char *pattern, unsigned flags, struct sl_regex **ret, struct sl_error *err);
void sl_regex_free(struct sl_regex *regex);

/* Does the whole text match (Java's matches())? Text that is not UTF-8 never does. */
bool sl_regex_matches(const struct sl_regex *regex, const char *text, size_t len);

/* Does the expression match somewhere in the text (Java's find())? */
bool sl_regex_finds(const struct sl_regex *regex, const char *text, size_t len);

/*
 * Java's replaceFirst: append the text to out with the first match replaced. In the replacement, $1 .. and
 * ${name} stand for groups (one that took no part is empty), and a backslash makes the next character plain.
 * Without a match the text is appended as it is.
 */
void sl_regex_replace_first(const struct sl_regex *regex, const char *text, size_t len,
                            const char *replacement, struct sl_buf *out);

/* Refuse a replacement that names a group which the expression does not have. Errors: CONFIG. */
enum sl_rc sl_regex_check_replacement(const struct sl_regex *regex, const char *replacement,
                                      struct sl_error *err);

#endif
