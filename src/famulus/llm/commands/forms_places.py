"""The forms of commands about places and what is in them: organizations, projects, tracks, courses, lessons, people."""

from famulus.llm.commands.form import Command, Form

PLACES = (
    Command(
        "list_organizations",
        "List the organizations",
        (
            Form("(<show>|what are) [all] [of] [the|my] organizations"),
            Form("(which|what) organizations are there"),
        ),
    ),
    Command(
        "create_organization",
        "Create an organization Evening School",
        (Form("<create> organization <called> [NAME]"),),
        {"name": "What shall the organization be called?"},
    ),
    Command(
        "update_organization",
        "Rename the organization Evening School to Night School",
        (Form("(rename|change) [the|my] organization ORGANIZATION (to|into) NAME"),),
    ),
    Command(
        "organization_settings",
        "Show the organization settings",
        (
            Form("[<show>|what are] [the|my|our] organization settings"),
            Form("(<show>|what are) the settings of (the|my|our) organization"),
        ),
    ),
    Command(
        "list_projects",
        "List the projects",
        (
            Form("(<show>|what are) [all] [of] [the|my] projects"),
            Form("<show> [all] [the|my] archived projects", {"archived": True}),
            Form("(which|what) projects are there"),
        ),
    ),
    Command(
        "create_project",
        "Create a project Robotics",
        (
            Form("<create> project <called> [NAME] [(in|for) [the] [organization] ORGANIZATION] <described>"),
            Form("<create> NAME project"),
        ),
        {"name": "What shall the project be called?"},
    ),
    Command(
        "update_project",
        "Rename the project Robotics to Robots",
        (
            Form("(rename|change) [the|my] project PROJECT (to|into) NAME"),
            Form("(set|change) the description (of|for) the project PROJECT to DESCRIPTION"),
        ),
    ),
    Command(
        "list_tracks",
        "List the tracks of Robotics",
        (
            Form("(<show>|what are) [all] [of] [the|my] [LEVEL] tracks <in-project>"),
            Form("<show> [all] [the|my] archived tracks <in-project>", {"archived": True}),
            Form("(which|what) [LEVEL] tracks are there <in-project>"),
        ),
    ),
    Command(
        "create_track",
        "Create an intermediate Python track in Data Science Foundations",
        (
            Form("<create> [LEVEL] NAME track <in-project>"),
            Form("<create> [LEVEL] track <called> [NAME] <in-project> [at level LEVEL|at the LEVEL level]"),
            Form("<create> [LEVEL] track <in-project> (called|named|titled|:) NAME"),
        ),
        {"name": "What shall the track be called?", "project": "In which project?"},
    ),
    Command(
        "update_track",
        "Rename the track Python to Python Basics",
        (
            Form("(rename|change) [the|my] track TRACK (to|into) NAME"),
            Form("(set|change) the description (of|for) the track TRACK to DESCRIPTION"),
            Form("(set|change) the level of [the] [track] TRACK [track] to LEVEL"),
            Form("(move|put) [the] track TRACK (to|into) [the] [project] MOVED [project]"),
        ),
    ),
)

LEARNING = (
    Command(
        "list_courses",
        "List the courses in the track Python",
        (
            Form("(<show>|what are) [all] [of] [the] courses <in-track>"),
            Form("<show> [all] [the|my] archived courses <in-track>", {"archived": True}),
            Form("(which|what) courses are there <in-track>"),
        ),
    ),
    Command(
        "create_course",
        "Create a course Trees in the track Python",
        (
            Form("<create> course [called|named|titled|on|about|:] [HEADING] <in-track>"),
            Form("<create> course <in-track> (called|named|titled|:) HEADING"),
        ),
        {"title": "What shall the course be called?"},
    ),
    Command(
        "update_course",
        "Publish the course Trees",
        (
            Form("(rename|change) [the|my] course COURSE (to|into) HEADING"),
            Form("(set|change) the description (of|for) the course COURSE to DESCRIPTION"),
            Form("publish [the] course [COURSE]", {"published": True}),
            Form("(unpublish|hide) [the] course [COURSE]", {"published": False}),
            Form("(move|add|put) the course COURSE (to|into|in) [the] track TRACK"),
        ),
        {"course": "Which course?"},
    ),
    Command(
        "list_lessons",
        "List the lessons of Trees",
        (
            Form("(<show>|what are) [all] [of] [the|my] lessons <in-course>"),
            Form("(what is|what's) in [the] [course] QUOTED"),
            Form("(which|what) lessons (are there|does [the] [course] COURSE have) <in-course>"),
        ),
        {"course": "Of which course?"},
    ),
    Command(
        "create_lesson",
        "Create a lesson Leaves in Trees: A leaf has no children.",
        (
            Form("(<create>|write [a]) lesson [called|named|titled|on|about|:] [HEADING] <in-course>"),
            Form("(<create>|write [a]) lesson [called|named|titled|on|about|:] [HEADING] <in-course> "
                 "(:|saying|with [the] (text|body) [:]) BODY"),
        ),
        {"title": "What shall the lesson be called?", "course": "In which course?", "body": "What shall it say?"},
    ),
    Command(
        "update_lesson",
        "Rename the lesson Leaves of Trees to Tips",
        (Form("(rename|change) [the|my] lesson LESSON <in-course> (to|into) HEADING"),),
        {"course": "In which course?"},
    ),
    Command(
        "search_knowledge",
        "Search the material for inflation layer",
        (
            Form("search [in] [the|my|this] <material> for QUERY"),
            Form("(search|look) for QUERY [in (the|my|this) <material>]"),
            Form("(find|look up) QUERY in (the|my|this) <material>"),
        ),
    ),
)  # fmt: skip

PEOPLE = (
    Command(
        "enrol_students",
        "Enrol ada@x.org and bob@x.org in Trees",
        (
            Form("(enrol|enroll) STUDENTS [[as] [a] (student|students)] [(in|into|for|on|to) <the-course>]"),
            Form("(add|put) STUDENTS [as [a] (student|students)] (in|into|to) <the-course>"),
            Form("(enrol|enroll) [some|new] (students|people|somebody|someone) <in-course>"),
        ),
        {"students": "Whom? Say their e-mail addresses.", "course": "In which course?"},
    ),
    Command(
        "withdraw_student",
        "Withdraw ada@x.org from Trees",
        (
            Form("(withdraw|remove|unenrol|unenroll|take|drop) STUDENT [(from|out of) <the-course>]"),
            Form("(withdraw|unenrol|unenroll) [a|the] student [from [the] [course] COURSE]"),
        ),
        {"student": "Whom? Say the e-mail address.", "course": "From which course?"},
    ),
    Command(
        "invite_instructor",
        "Invite grace@x.org to teach Trees",
        (
            Form("invite EMAIL to teach [<the-courses>]"),
            Form("invite EMAIL as [a|an] (teacher|instructor) [(of|for|in|to) <the-courses>]"),
            Form("invite [a|an|another] [new] (teacher|instructor) [EMAIL] [(of|for|in|to) [the] course COURSES]"),
            Form("invite [a|an|another] [new] (teacher|instructor) to [the] [organization] ORGANIZATION"),
        ),
        {"email": "Whom? Say the e-mail address."},
    ),
    Command(
        "set_course_assistant",
        "Set the assistant of Trees to Mira",
        (
            Form("(set|change|switch) [the] assistant (of|for|in) <the-course> to [the] [assistant] ASSISTANT"),
            Form("use [the] assistant ASSISTANT (in|for) <the-course>"),
            Form("give [the] [course] COURSE the assistant ASSISTANT"),
        ),
        {"course": "In which course?"},
    ),
    Command(
        "get_analytics",
        "Show the analytics for Trees",
        (
            Form("[<show>|what are] [the] (analytics|statistics|stats|figures) [(for|of|about|in) <the-course>]"),
            Form("how is [the] course COURSE (used|doing)"),
            Form("how is the organization (used|doing)"),
        ),
    ),
)  # fmt: skip
