"""Drives the device with python-gsmmodem-new as its documentation shows: send, receive, call."""

import queue
import sys

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
    modem.sendSms(echo, text)
came = []
parts = {}
while len(came) < len(texts):
    sms = received.get(timeout=60)
    parts.setdefault("all", []).append(sms.text)
    joined = "".join(parts["all"])
    came = [text for text in texts if text in joined]
assert sorted(joined) == sorted("".join(texts)), (joined, texts)
call = modem.dial("10086")
for _ in range(100):
    if call.answered:
        break
    call._gsmModem.signalStrength
    import time

    time.sleep(0.1)
print("answered", call.answered)
call.hangup()
modem.close()
print("done")
