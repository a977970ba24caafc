"""All answers: importing this module fills `dispatch.ANSWERS`."""

from gateway.storeserver import (  # noqa: F401
    answers_directory,
    answers_folder,
    answers_notify,
    answers_object,
    answers_search,
    answers_session,
    answers_store,
    answers_stream,
    answers_sync,
    answers_table,
)
