#!/bin/bash
# manual_pages_test.sh SLUICE PAGE...: the pages that the build installs are those that the program has, none of them
# empty; where groff is installed, it has nothing to say of them.
# SPDX-License-Identifier: Apache-2.0
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$1" man --into "$folder"
shift
diff <(LC_ALL=C ls "$folder") <(printf '%s\n' "$@" | LC_ALL=C sort) || { echo "packaging/meson.build lists other pages" >&2; exit 1; }
for page in "$folder"/*; do
  grep -q '^.SH NAME' "$page" && grep -q '^.SH EXIT STATUS' "$page"
  if command -v groff >/dev/null; then
    said=$(groff -man -ww -z "$page" 2>&1)
    [ -z "$said" ] || { echo "$said" >&2; exit 1; }
  fi
done
