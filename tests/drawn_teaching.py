"""The arrows of what teachers do on the pages of `grader/web/`: a part of `tests.drawn_web`."""

TEACHING = {
    "web.identities": "conditions exercise gradebook.records grader settings",
    "web.store.teaching": "gradebook.tables",
    "web.store.outcomes": "gradebook.batches gradebook.records gradebook.results gradebook.stored grades model"
    " web.store.attempts web.store.deliveries web.store.records web.store.tables",
    "web.store.trials": "gradebook.records gradebook.results gradebook.stored gradebook.tables model web.store.records"
    " web.store.tables web.store.teaching",
    "web.store.previews": "gradebook.overrides gradebook.records model web.store.attempts web.store.records web.store.tables"
    " web.store.teaching web.store.trials",
    "web.store.regrades": "gradebook.records gradebook.results gradebook.tables model web.store.attempts web.store.outcomes"
    " web.store.previews web.store.records web.store.tables web.store.teaching web.store.trials",
    "web.store.reviews": "gradebook.results gradebook.tables model web.store.attempts web.store.records web.store.tables"
    " web.store.teaching",
    "web.reviewing": "model report.document web.learner web.service web.store.courses web.store.records"
    " web.store.reviews web.titles",
    "web.store.sheets": "gradebook.results lms.filling web.store.teaching",
    "web.classes": "grades web.service web.store.records web.store.standing",
    "web.pictures": "model outcome.brief report.html.words report.overview report.overview.document"
    " report.overview.pairs similarity starter web.classes web.learner web.service web.store.records web.titles",
    "web.exporting": "errors lms.filling lms.sheets lms.upload model outcome.tasks web.classes web.learner web.service"
    " web.store.records web.store.sheets web.titles",
    "web.regrading": "gradebook.records model web.identities web.learner web.service web.store.courses web.store.previews"
    " web.store.records web.store.regrades web.titles",
    "web.regrade_command": "errors exercise gradebook.records model settings web.identities web.store.courses"
    " web.store.previews web.store.records web.store.regrades web.store.store",
}
