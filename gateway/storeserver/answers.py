"""All answers: importing this module fills `dispatch.ANSWERS`."""

from gateway.storeserver import (  # noqa: F401
    answers_addressbook,
    answers_folder,
    answers_groups,
    answers_notify,
    answers_object,
    answers_quota,
    answers_search,
    answers_session,
    answers_store,
    answers_stream,
    answers_sync,
    answers_table,
    answers_users,
)
