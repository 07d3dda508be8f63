# SPDX-License-Identifier: Apache-2.0
"""Wait on a condition, never on a guess."""
import time


class Timeout(AssertionError):
    pass


def until(condition, what, seconds=90.0, every=0.02):
    """Call condition until it returns something true, and return that. Exceptions count as "not yet"."""
    deadline = time.monotonic() + seconds
    last = None
    while True:
        try:
            answer = condition()
            if answer:
                return answer
            last = answer
        except Exception as error:  # the thing waited for may not be up yet
            last = error
        if time.monotonic() > deadline:
            raise Timeout(f"waited {seconds} s for {what}; last seen: {last!r}")
        time.sleep(every)
