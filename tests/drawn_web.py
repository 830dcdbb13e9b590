"""The arrows of the modules of `grader/web/`, and of the commands that start it: a part of the map in `tests.test_structure`."""

from tests.drawn_teaching import TEACHING

# What is remembered, then what a request passes, then the pages; grading beside them; and what runs both.
WEB = {
    "web": "",
    "web.store": "",
    "web.store.tables": "gradebook.tables web.store.teaching",
    "web.store.records": "gradebook.records grades model",
    "web.store.files": "errors",
    "web.store.codes": "",
    "web.store.courses": "errors gradebook.batches gradebook.results web.store.codes web.store.deliveries web.store.records web.store.tables",
    "web.store.people": "gradebook.results web.store.codes web.store.records web.store.tables",
    "web.store.attempts": "errors gradebook.results gradebook.stored gradebook.tables model web.store.records"
    " web.store.tables web.store.teaching",
    "web.store.deliveries": "gradebook.overrides gradebook.results gradebook.stored web.store.attempts web.store.records web.store.tables",
    "web.store.jobs": "web.store.outcomes web.store.records web.store.tables web.store.teaching web.store.trials",
    **TEACHING,
    "web.store.standing": "errors gradebook.batches gradebook.overrides gradebook.results gradebook.tables grades"
    " web.store.attempts web.store.deliveries web.store.records web.store.reviews web.store.tables",
    "web.store.store": "gradebook.address gradebook.book gradebook.database gradebook.schema web.store.files",
    "web.store.seals": "errors",
    "web.store.platforms": "errors lms.lti.records web.store.codes web.store.seals web.store.tables",
    "web.store.remembered": "lms.lti.records web.store.platforms web.store.seals web.store.store",
    "web.store.arrivals": "gradebook.results lms.lti.records web.store.codes web.store.courses web.store.deliveries"
    " web.store.people web.store.platforms web.store.records web.store.tables",
    "web.store.origins": "web.store.codes web.store.tables",
    "web.store.forgetting": "errors gradebook.forgetting gradebook.results gradebook.stored gradebook.tables web.store.attempts"
    " web.store.codes web.store.courses web.store.jobs web.store.outcomes web.store.people web.store.platforms web.store.records"
    " web.store.tables web.store.teaching",
    "web.store.clearing": "gradebook.batches web.store.forgetting web.store.origins web.store.store",
    "web.store.own": "gradebook.tables web.store.attempts web.store.courses web.store.records web.store.tables",
    "web.own": "web.learner web.service web.store.attempts web.store.courses web.store.own web.titles",
    "web.titles": "exercise model web.service web.store.courses web.store.records",
    "web.patience": "",
    "web.rounds": "errors web.logs",
    "web.keeping": "web.logs web.rounds web.store.clearing web.store.store",
    "web.logs": "errors text",
    "web.cookies": "",
    "web.frames": "",
    "web.terms": "errors web.store.courses web.store.records",
    "web.platform": "lms.lti.keys lms.lti.launch lms.lti.outbound lms.lti.signing lms.lti.tokens lms.lti.tool"
    " web.store.remembered web.store.seals web.store.store",
    "web.sending": "errors gradebook.stored lms.lti.records lms.lti.scores model text web.logs web.platform web.rounds"
    " web.store.deliveries web.store.platforms web.store.records web.store.store",
    "web.registering": "errors lms.lti.registration model web.frames web.service web.store.platforms",
    "web.roster": "errors lms.lti.roster model web.service web.store.people web.store.platforms web.titles",
    "web.choosing": "errors exercise lms.lti.deeplinking lms.lti.records model web.frames web.service"
    " web.store.platforms web.terms",
    "web.arrivals": "errors exercise lms.lti.launch lms.lti.login lms.lti.records lms.lti.tool model web.frames"
    " web.languages web.service web.store.arrivals web.store.people web.store.platforms web.store.records web.terms",
    "web.metrics": "",
    "web.rates": "",
    "web.languages": "model",
    "web.rendering": "model report.html report.html.words report.sentences text web.cookies web.languages",
    "web.service": "exercise model settings web.cookies web.logs web.metrics web.platform web.rates web.rendering web.store.codes"
    " web.store.courses web.store.people web.store.records web.store.store",
    "web.doors": "model web.frames web.languages web.rates web.service web.store.people web.store.platforms web.store.records",
    "web.entrance": "model web.doors web.service web.store.people",
    "web.learner": "errors load model report.discovery report.document starter text web.rendering web.service"
    " web.store.attempts web.store.courses web.store.records web.store.reviews web.store.standing web.titles",
    "web.teacher": "errors model outcome.table web.classes web.learner web.service web.store.attempts web.store.deliveries web.store.people"
    " web.store.platforms web.store.records web.store.regrades web.store.reviews web.store.standing web.titles",
    "web.health": "errors model web.service web.store.jobs",
    "web.app": "errors lms.lti.tool load model web.arrivals web.choosing web.doors web.entrance web.exporting web.frames web.health web.hub web.languages"
    " web.learner web.own web.pictures web.registering web.regrading web.rendering web.reviewing web.roster web.service"
    " web.store.platforms web.teacher",
    "web.engine": "batch errors executors exercise grade gradebook.records grader model settings web.identities web.logs"
    " web.metrics web.store.jobs web.store.records web.store.regrades web.store.store web.store.trials",
    "web.hub": "errors",
    "web.serving": "errors lms.lti.tool text web.sending web.app web.engine web.keeping web.logs web.metrics web.patience web.platform"
    " web.rates web.service web.store.seals web.store.store",
    "lti_commands": "errors lms.lti.records lms.lti.signing lms.lti.tool options report.escape service_store text web.frames"
    " web.store.platforms web.store.remembered web.store.seals",
    "service_store": "answering errors model options settings web.serving web.store.store",
    "forget_commands": "model options report.escape service_store text web.store.clearing web.store.forgetting web.store.store",
    "service_commands": "answering executors exercise forget_commands model options report.escape service_store text web.engine web.hub"
    " web.regrade_command web.serving web.store.clearing web.store.courses web.store.seals",
}
