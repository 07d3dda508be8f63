/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"
#include "cli/version.h"

#include <stdio.h>

static int version(const struct sl_cli *cli, const struct sl_arguments *arguments)
{
    (void)cli;
    (void)arguments;
    (void)printf("sluice %s\n", SL_VERSION);
    return SL_EXIT_OK;
}

const struct sl_command sl_command_version = {
    .name = "version",
    .arguments = "",
    .summary = "print the version",
    .run = version,
};
