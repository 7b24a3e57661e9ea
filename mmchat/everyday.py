"""Sentences about everything and nothing, in English and Korean: what relevance is measured against.

How near an encoder puts two texts that have nothing to do with each other differs from encoder to encoder
(0.77 on average for multilingual-e5-small, 0.13 for all-MiniLM-L6-v2) and from question to question.
"""

TRANSLATED = (
    ("The meeting was moved to another room.", "회의는 다른 방으로 옮겨졌습니다."),
    ("Press the button to turn it on.", "버튼을 눌러 전원을 켜세요."),
    ("He painted the garden fence last summer.", "그는 지난여름 울타리를 칠했다."),
    ("The price includes everything you need.", "가격에는 필요한 것이 모두 포함됩니다."),
    ("The river flows through the old town.", "강은 오래된 마을을 지나 흐른다."),
    ("You can contact us by phone or email.", "전화나 이메일로 문의하실 수 있습니다."),
    ("It comes in several sizes and colours.", "여러 가지 크기와 색상이 있습니다."),
    ("It tastes fresh and slightly sweet.", "신선하고 약간 달콤한 맛이 납니다."),
)
"""Sentences in English and in Korean: what an encoder adds to a text for its language is the difference."""

ENGLISH = (
    *(english for english, _ in TRANSLATED),
    "Wash it with cold water and let it dry.",
    "Please read this before you begin.",
    "She plays the violin in an orchestra.",
    "The team won the match in the last minute.",
)
KOREAN = tuple(korean for _, korean in TRANSLATED)
EVERYDAY = (*ENGLISH, *KOREAN)
