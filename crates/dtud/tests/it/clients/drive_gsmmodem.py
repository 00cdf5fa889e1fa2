"""Drives the device with python-gsmmodem-new as its documentation shows: send, receive, call."""

import queue
import sys
import time

from gsmmodem.modem import GsmModem

line, echo, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
received, calls = queue.Queue(), queue.Queue()
modem = GsmModem(line, 115200, smsReceivedCallbackFunc=received.put, incomingCallCallbackFunc=calls.put)
modem.smsTextMode = False
modem.connect()
print("imei", modem.imei)
print("network", modem.networkName)
print("signal", modem.signalStrength)
modem.waitForNetworkCoverage(10)
texts = [f"reading {number:03}" for number in range(count)] + ["水泵已启动", "a" * 200]
for text in texts:
    # One at a time: its reading thread would type into the prompt of the message that is being sent.
    modem.sendSms(echo, text)
    came = received.get(timeout=60).text
    while came != text and text.startswith(came):
        came += received.get(timeout=60).text
    assert came == text, (came, text)
assert received.empty()
call = modem.dial("10086")
deadline = time.monotonic() + 30
while not call.answered and time.monotonic() < deadline:
    time.sleep(0.1)
print("answered", call.answered)
call.hangup()
modem.close()
print("done")
