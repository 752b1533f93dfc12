"""The forms of commands about what is the person's own: tasks, standing, what they did."""

from famulus.llm.commands.form import Command, Form

TASKS = (
    Command(
        "create_task",
        "Add buy groceries to my list by Friday",
        (
            Form("(add|put) TITLE [DUE] (to|on|onto|in) <my-list> [DUE]"),
            Form("(add|put) (to|on|onto) <my-list> [:] TITLE [DUE]"),
            Form("(<create>|new) (<task>|reminder) [called|named|titled|to|:] [TITLE] [DUE]"),
            Form("(<create>|new) (<task>|reminder) DUE [called|named|titled|to|:] TITLE"),
            Form("(add|put) [a|an|another] [new] <task> (to|on|onto|in) <my-list>"),
            Form("remind me to TITLE [DUE]"),
            Form("remind me DUE to TITLE"),
        ),
        {"title": "What is to be done?"},
    ),
    Command(
        "list_tasks",
        "Show me my tasks for this week",
        (
            Form("[<show>|can i see|what are] [all] [of] my <tasks> [due] [PERIOD]"),
            Form("<show> [all] [the] <tasks> [due] [PERIOD]"),
            Form(
                "[<show>|what are] [all] [of] [my|the] (open|unfinished|pending|remaining) <tasks> [PERIOD]",
                {"done": False},
            ),
            Form(
                "[<show>|what are] [all] [of] [my|the] (done|finished|completed) <tasks> [PERIOD]", {"done": True}
            ),
            Form("((<show>|what are) [all] [of] [my|the]|my) OVERDUE <tasks>", {"done": False}),
            Form("(which|what) [of] [my] <tasks> (are OVERDUE|do i have|are due|are there) [PERIOD]"),
            Form("(what is|what's) on my <list> [PERIOD]"),
            Form("(what is|what's) due PERIOD", {"done": False}),
            Form("what (do i have to|should i|must i) do PERIOD", {"done": False}),
            Form("do i have [any|some] <tasks> [PERIOD]"),
            Form("(find|search) [for] (my|the) (<task>|<tasks>) [about|with|called|named|for] WORDS"),
            Form("<show> my <tasks> (about|with|containing) WORDS"),
        ),
    ),
    Command(
        "update_task",
        "Mark buy groceries as done",
        (
            Form("(mark|set|tick|check|flag) [the|my] [<task>] TASK [as|to] (done|finished|complete|completed)",
                 {"done": True}),
            Form("mark as (done|finished|complete|completed) [:] TASK", {"done": True}),
            Form("(tick|check|cross) off [the|my] [<task>] TASK [(on|from) <my-list>]", {"done": True}),
            Form("(tick|check|cross) [the|my] [<task>] TASK off <my-list>", {"done": True}),
            Form("(complete|finish|close) (the|my) <task> [called|named] [TASK]", {"done": True}),
            Form("(mark|set|flag) [the|my] [<task>] TASK [as|to] (open|undone|not done|unfinished|incomplete)",
                 {"done": False}),
            Form("reopen [the|my] <task> [called|named] [TASK]", {"done": False}),
            Form("(rename|change) [the|my] <task> TASK (to|into) TITLE"),
            Form("(move|postpone|reschedule|delay|shift) [the|my] <task> TASK [to|until] DAY"),
            Form("(postpone|reschedule) TASK [to|until] DAY"),
            Form("(set|change|move) the (due date|deadline) (of|for) [the|my] [<task>] TASK to DAY"),
            Form("(remove|clear|delete) the (due date|deadline) (of|for|from) [the|my] [<task>] TASK",
                 {"due_at": None}),
            Form("(set|change) the description (of|for) [the|my] <task> TASK to DESCRIPTION"),
        ),
        {"task": "Which task?"},
    ),
    Command(
        "delete_task",
        "Delete the task buy groceries",
        (
            Form("(delete|remove|drop|cancel) [the|my] <task> [called|named] [TASK] [from <my-list>]"),
            Form("(delete|remove|take|strike|drop) TASK (from|off) <my-list>"),
        ),
        {"task": "Which task?"},
    ),
)  # fmt: skip

MYSELF = (
    Command(
        "get_me",
        "Who am I?",
        (
            Form("who am i"),
            Form("(what is|what's) my (role|name|organization)"),
            Form("(what|which) role do i have"),
            Form("(what|which) organization am i in"),
            Form("<show> my (profile|role|organization)"),
        ),
    ),
    Command(
        "switch_role",
        "Switch to Evening School",
        (
            Form(
                "(switch|change) [me|over] to [the] [organization|role] ORGANIZATION [organization] <as-role>"
            ),
            Form("switch [my] (organization|role) [to ORGANIZATION]"),
            Form("(act|work) (in|for) the organization ORGANIZATION"),
        ),
        {"organization": "To which organization?"},
    ),
    Command(
        "list_my_courses",
        "Show my courses",
        (
            Form("[<show>|can i see|what are] [all] [of] my (courses|classes)"),
            Form("(which|what) (courses|classes) (am i in|am i taking|am i teaching|am i enrolled in)"),
            Form("(which|what) (courses|classes) do i (have|take|teach)"),
        ),
    ),
    Command(
        "recent_activity",
        "Show the recent activity",
        (
            Form("[<show>] [the|my] recent (activity|activities|changes)"),
            Form("<show> [the|my] activity"),
            Form("my activity"),
            Form("what (happened|has happened|changed) (recently|lately)"),
            Form("what (did i do|have i done) (recently|lately)"),
        ),
    ),
)
