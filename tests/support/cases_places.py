"""The operations of organizations, projects, tracks, courses' and lessons' places, quizzes, and tasks."""

from tests.support.cases import Case

PROJECT, TRACK = {"project_id": "{spare_project}"}, {"track_id": "{spare_track}"}
COURSE, LESSON = {"course_id": "{spare_course}"}, {"lesson_id": "{archived_lesson}"}
ORGANIZATION, TASK = {"organization_id": "{spare_organization}"}, {"task_id": "{spare_task}"}
QUIZ = {"quiz_id": "{spare_quiz}"}
QUESTION = {"kind": "true_false", "prompt": "Does water run {new}?", "answer": True}

CASES_PLACES: dict[str, Case] = {
    "PATCH /api/v1/organizations/{organization_id}": Case(
        "admin", body={"name": "Ours"}, needs="organization_admin"
    ),
    "POST /api/v1/organizations/{organization_id}/archive": Case(
        "site", path=ORGANIZATION, needs="site_admin"
    ),
    "POST /api/v1/organizations/{organization_id}/restore": Case(
        "site", path=ORGANIZATION, needs="site_admin"
    ),
    "GET /api/v1/projects": Case(query={"organization_id": "{organization}"}),
    "POST /api/v1/projects": Case(
        "admin",
        201,
        body={"name": "Project {new}", "organization_id": "{organization}"},
        needs="organization_admin",
    ),
    "GET /api/v1/projects/{project_id}": Case(),
    "PATCH /api/v1/projects/{project_id}": Case(
        "admin", body={"description": "Water {new}."}, needs="organization_admin"
    ),
    "POST /api/v1/projects/{project_id}/archive": Case("admin", path=PROJECT, needs="organization_admin"),
    "POST /api/v1/projects/{project_id}/restore": Case("admin", path=PROJECT, needs="organization_admin"),
    "GET /api/v1/tracks": Case(query={"project_id": "{project}"}),
    "POST /api/v1/tracks": Case(
        "teacher", 201, body={"project_id": "{project}", "name": "Track {new}"}, needs="teacher"
    ),
    "GET /api/v1/tracks/{track_id}": Case(),
    "PATCH /api/v1/tracks/{track_id}": Case("teacher", body={"description": "Steep {new}."}, needs="teacher"),
    "POST /api/v1/tracks/{track_id}/archive": Case("admin", path=TRACK, needs="organization_admin"),
    "POST /api/v1/tracks/{track_id}/restore": Case("admin", path=TRACK, needs="organization_admin"),
    "PUT /api/v1/tracks/{track_id}/courses": Case("teacher", 204, body={"course_ids": []}, needs="teacher"),
    "POST /api/v1/courses/{course_id}/archive": Case("teacher", path=COURSE, needs="teacher"),
    "POST /api/v1/courses/{course_id}/restore": Case("teacher", path=COURSE, needs="teacher"),
    "PUT /api/v1/courses/{course_id}/lessons/order": Case(
        "teacher", 204, path=COURSE, body={"lesson_ids": []}, needs="teacher"
    ),
    "POST /api/v1/lessons/{lesson_id}/archive": Case("teacher", path=LESSON, needs="teacher"),
    "POST /api/v1/lessons/{lesson_id}/restore": Case("teacher", path=LESSON, needs="teacher"),
    "GET /api/v1/courses/{course_id}/quizzes": Case("teacher", needs="teacher"),
    "GET /api/v1/quizzes/{quiz_id}": Case("teacher"),
    "PATCH /api/v1/quizzes/{quiz_id}": Case(
        "teacher",
        body={
            "title": "Rivers {new}",
            "status": "approved",
            "questions": [{**QUESTION, "passage_id": "{passage}"}],
        },
        beside={"questions/passage_id": QUESTION},
    ),
    "POST /api/v1/quizzes/{quiz_id}/archive": Case("teacher", path=QUIZ),
    "POST /api/v1/quizzes/{quiz_id}/restore": Case("teacher", path=QUIZ),
    "GET /api/v1/tasks": Case(),
    "POST /api/v1/tasks": Case(status=201, body={"title": "Read", "due_at": "2026-11-20T19:00:00Z"}),
    "GET /api/v1/tasks/{task_id}": Case(),
    "PATCH /api/v1/tasks/{task_id}": Case(body={"title": "Read {new}", "done": True, "due_at": None}),
    "POST /api/v1/tasks/{task_id}/archive": Case(),
    "POST /api/v1/tasks/{task_id}/restore": Case(),
    "DELETE /api/v1/tasks/{task_id}": Case(status=204, path=TASK),
}
"""By `METHOD /path`; what is archived or used up is a spare."""
