/* SPDX-License-Identifier: Apache-2.0 */
/* GET /admin/breakers, which is ours: the external systems that this worker talks to, and whether they
 * answer. */
#include "api/connect/inside.h"

#include "engine/breaker.h"

SL_CONNECT_HANDLER(sl_connect_breakers)
{
    struct sl_buf text = {0};

    (void)ctx;
    (void)request;
    sl_breakers_json(true, &text);
    sl_http_json(answer, 200, json_loadb((const char *)text.data, text.len, 0, NULL));
    sl_buf_done(&text);
}
