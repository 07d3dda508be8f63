# SPDX-License-Identifier: Apache-2.0
"""The examples' pipelines over a real broker, with the connectors' JSON unchanged."""
import json

import pytest

FILL = {"customers": 60, "products": 20, "orders": 120, "lines": 300}


@pytest.mark.parametrize("group", [False, True], ids=["standalone", "distributed"])
def test_sql_server_to_postgresql(broker, make_pipeline, group):
    pipeline = make_pipeline(broker, group, fill=FILL)
    pipeline.sluice.start()
    pipeline.change(1500)
    pipeline.wait_equal()
    pipeline.sluice.stop()
    pipeline.change(500)
    pipeline.sluice.start()
    pipeline.change(500)
    pipeline.wait_equal()
    pipeline.sluice.kill()
    pipeline.change(500)
    pipeline.sluice.start()
    pipeline.wait_equal()
    pipeline.sluice.stop()
