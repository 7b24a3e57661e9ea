"""Sentences about everything and nothing, in English and Korean: what relevance is measured against.

How near an encoder puts two texts that have nothing to do with each other differs from encoder to encoder
(0.77 on average for multilingual-e5-small, 0.13 for all-MiniLM-L6-v2) and from question to question.
"""

EVERYDAY = (
    "The meeting was moved to another room.",
    "He painted the garden fence last summer.",
    "Wash it with cold water and let it dry.",
    "The price includes everything you need.",
    "Please read this before you begin.",
    "It comes in several sizes and colours.",
    "She plays the violin in an orchestra.",
    "The river flows through the old town.",
    "You can contact us by phone or email.",
    "Press the button to turn it on.",
    "The team won the match in the last minute.",
    "It tastes fresh and slightly sweet.",
    "회의는 다른 방으로 옮겨졌습니다.",
    "버튼을 눌러 전원을 켜세요.",
    "그는 지난여름 울타리를 칠했다.",
    "가격에는 필요한 것이 모두 포함됩니다.",
    "강은 오래된 마을을 지나 흐른다.",
    "전화나 이메일로 문의하실 수 있습니다.",
    "여러 가지 크기와 색상이 있습니다.",
    "신선하고 약간 달콤한 맛이 납니다.",
)
