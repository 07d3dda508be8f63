/* SPDX-License-Identifier: Apache-2.0 */
#include "../cdc/functions.h"
#include "functions.h"

void ms_functions_register(struct ms_session *session)
{
    ms_cdc_functions_register(session);
}
