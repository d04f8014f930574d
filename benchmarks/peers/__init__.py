"""What this project is measured against: three usual ways to wait for a model in a CDK app.

Each is written as its documentation says and tuned where the documentation tells how:

``crhelper-2min``
    crhelper 2.0.12 with every default, polling by an EventBridge rule of two minutes (its README, "Polling").
``crhelper-1min``
    The same at its floor: ``polling_interval=1``, log level INFO, no sleep on Delete.
``provider-5s``
    The CDK's ``custom_resources.Provider`` with ``is_complete_handler`` and its default interval.
``provider-1s``
    The same with ``query_interval`` of one second, which is its floor.
``sleeper-5s``
    One function that starts the model, asks every five seconds and answers, all in one invocation. It serves
    for starts that fit in 15 minutes.
"""
