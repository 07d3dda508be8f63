# SPDX-License-Identifier: Apache-2.0
"""
Java for programs that live for seconds: only the quick compiler and one collector's thread. Starting a driver and asking
it a few things takes half the processor time so, which two cores notice.
"""

QUICKLY = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"]
JAVA = ["java", *QUICKLY]
