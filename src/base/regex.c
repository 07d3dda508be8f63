/* SPDX-License-Identifier: Apache-2.0 */
#include "base/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>

struct sl_regex {
    pcre2_code *code;
    uint32_t n_groups;
};

/*
 * Inside a character class Java knows "&&" and nested classes; PCRE2 would take them for plain characters and
 * match something else without a word. Returns what stands there, or NULL.
 */
static const char *java_only(const char *pattern)
{
    bool in_class = false;

    for (const char *at = pattern; *at; at++) {
        if (at[0] == '\\' && at[1] == 'Q') {
            const char *end = strstr(at, "\\E");

            if (!end)
                return NULL;
            at = end + 1;
        } else if (at[0] == '\\' && at[1]) {
            at++;
        } else if (!in_class && *at == '[') {
            in_class = true;
            if (at[1] == '^')
                at++;
            if (at[1] == ']') /* a bracket in first place is a member */
                at++;
        } else if (in_class && *at == ']') {
            in_class = false;
        } else if (in_class && at[0] == '&' && at[1] == '&') {
            return "a character class intersection (&&)";
        } else if (in_class && *at == '[') {
            return "a character class within a character class";
        }
    }
    return NULL;
}

enum sl_rc sl_regex_compile(const char *pattern, unsigned flags, struct sl_regex **ret, struct sl_error *err)
{
    uint32_t options = PCRE2_UTF | PCRE2_ALT_BSUX | (flags & SL_REGEX_IGNORE_CASE ? PCRE2_CASELESS : 0);
    const char *unknown = java_only(pattern);
    struct sl_regex *regex;
    pcre2_code *code;
    PCRE2_SIZE at;
    int reason;

    if (unknown)
        return sl_error_set(err, SL_E_CONFIG,
                            "the regular expression '%s' uses %s, which is not supported. HINT: write the "
                            "class without it, or use a lookahead such as (?!x)[a-z]",
                            pattern, unknown);
    code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, options, &reason, &at, NULL);
    if (!code) {
        PCRE2_UCHAR text[128];

        (void)pcre2_get_error_message(reason, text, sizeof(text));
        return sl_error_set(err, SL_E_CONFIG,
                            "the regular expression '%s' is wrong at character %zu: %s. HINT: a literal dot "
                            "is written \\\\. in JSON",
                            pattern, (size_t)at, (const char *)text);
    }
    regex = sl_zalloc(1, sizeof(*regex));
    regex->code = code;
    (void)pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &regex->n_groups);
    *ret = regex;
    return SL_OK;
}

void sl_regex_free(struct sl_regex *regex)
{
    if (!regex)
        return;
    pcre2_code_free(regex->code);
    sl_free(regex);
}

static bool run(const struct sl_regex *regex, const char *text, size_t len, uint32_t options,
                pcre2_match_data *match)
{
    return pcre2_match(regex->code, (PCRE2_SPTR)text, len, 0, options, match, NULL) > 0;
}

static bool run_once(const struct sl_regex *regex, const char *text, size_t len, uint32_t options)
{
    pcre2_match_data *match = pcre2_match_data_create_from_pattern(regex->code, NULL);
    bool found = run(regex, text, len, options, match);

    pcre2_match_data_free(match);
    return found;
}

bool sl_regex_matches(const struct sl_regex *regex, const char *text, size_t len)
{
    return run_once(regex, text, len, PCRE2_ANCHORED | PCRE2_ENDANCHORED);
}

bool sl_regex_finds(const struct sl_regex *regex, const char *text, size_t len)
{
    return run_once(regex, text, len, 0);
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : -1;
}

/*
 * "$12": as many digits as make an existing group, at least one. *at stands on the first digit and ends
 * behind the last one used. -1: no such group.
 */
static int numbered_group(const struct sl_regex *regex, const char **at)
{
    int group = digit(**at);

    if (group < 0 || (uint32_t)group > regex->n_groups)
        return -1;
    (*at)++;
    while (digit(**at) >= 0 && (uint32_t)(group * 10 + digit(**at)) <= regex->n_groups)
        group = group * 10 + digit(*(*at)++);
    return group;
}

/* "{name}", *at on the brace. */
static int named_group(const struct sl_regex *regex, const char **at)
{
    char name[64];
    const char *end = strchr(*at, '}');
    int group;

    if (!end || (size_t)(end - *at) > sizeof(name))
        return -1;
    (void)snprintf(name, sizeof(name), "%.*s", (int)(end - *at - 1), *at + 1);
    group = pcre2_substring_number_from_name(regex->code, (PCRE2_SPTR)name);
    *at = end + 1;
    return group > 0 ? group : -1;
}

/* Append one element of the replacement; false when it is malformed. match NULL: only look. */
static bool put_element(const struct sl_regex *regex, const char **at, const char *text,
                        const PCRE2_SIZE *match, struct sl_buf *out)
{
    int group;

    if (**at == '\\') {
        (*at)++;
        if (!**at)
            return false;
    } else if (**at == '$') {
        (*at)++;
        group = **at == '{' ? named_group(regex, at) : numbered_group(regex, at);
        if (group < 0)
            return false;
        if (match && match[2 * group] != PCRE2_UNSET)
            sl_buf_put(out, text + match[2 * group], match[2 * group + 1] - match[2 * group]);
        return true;
    }
    if (match)
        sl_buf_u8(out, (uint8_t)**at);
    (*at)++;
    return true;
}

void sl_regex_replace_first(const struct sl_regex *regex, const char *text, size_t len,
                            const char *replacement, struct sl_buf *out)
{
    pcre2_match_data *match = pcre2_match_data_create_from_pattern(regex->code, NULL);

    if (run(regex, text, len, 0, match)) {
        const PCRE2_SIZE *groups = pcre2_get_ovector_pointer(match);

        sl_buf_put(out, text, groups[0]);
        while (*replacement && put_element(regex, &replacement, text, groups, out))
            continue;
        sl_buf_put(out, text + groups[1], len - groups[1]);
    } else {
        sl_buf_put(out, text, len);
    }
    pcre2_match_data_free(match);
}

enum sl_rc sl_regex_check_replacement(const struct sl_regex *regex, const char *replacement,
                                      struct sl_error *err)
{
    const char *at = replacement;

    while (*at) {
        if (!put_element(regex, &at, NULL, NULL, NULL))
            return sl_error_set(err, SL_E_CONFIG,
                                "the replacement '%s' names a group that its regular expression does not "
                                "have. HINT: the expression has %u groups; write \\$ for a dollar sign",
                                replacement, regex->n_groups);
    }
    return SL_OK;
}
