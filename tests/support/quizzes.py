"""Questions of every kind, for tests of quizzes and of the tools that draft them."""

from typing import Any


def questions(passage_id: str | None = None, quote: str | None = None) -> list[dict[str, Any]]:
    """One question of each kind, all of them resting on one passage."""
    source = {"passage_id": passage_id, "quote": quote}
    asked: list[dict[str, Any]] = [
        {
            "kind": "single_choice",
            "prompt": "What does a node do?",
            "options": [{"text": "It computes.", "correct": True}, {"text": "It sleeps."}],
            "explanation": "The lesson says so.",
        },
        {
            "kind": "multiple_choice",
            "prompt": "What is true of nodes?",
            "options": [
                {"text": "They compute.", "correct": True},
                {"text": "There may be many.", "correct": True},
                {"text": "They are made of wood."},
            ],
        },
        {"kind": "true_false", "prompt": "A node computes.", "answer": True},
        {"kind": "short_answer", "prompt": "What computes?", "answers": ["A node", "Node"]},
        {
            "kind": "matching",
            "prompt": "What belongs together?",
            "pairs": [{"left": "node", "right": "computes"}, {"left": "topic", "right": "carries"}],
        },
    ]
    return [
        {**question, **{name: value for name, value in source.items() if value is not None}}
        for question in asked
    ]
