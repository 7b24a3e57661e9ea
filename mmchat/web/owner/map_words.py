"""The words of the panel with the map."""

from __future__ import annotations

from mmchat.web.owner.house import Words

WORDS: Words = {
    "en": {
        "map_tab": "Map",
        "map_kind": "What is shown",
        "map_chunk": "Passages, by what they say",
        "map_picture": "Pictures, by what they show",
        "map_query": "Words, a photo, or both, to see where they lie",
        "map_show": "Show",
        "map_here": "The query",
        "map_name": "Map of {count} items; arrow keys go from one to the next",
        "map_hint": "Point at a dot to see what it is; a click keeps it.",
        "map_open": "Open the document",
        "map_nearest": "Really nearest to the query, by all directions",
        "map_no_chunk": "There are no passages in the index.",
        "map_no_picture": "There are no pictures in the index.",
        "map_said_chunk": "{shown} of {total} passages, as the text encoder sees them. The two directions "
        "show {share} of their differences: what lies side by side may still have little in common. "
        "A photo "
        "has no place here.",
        "map_said_picture": "{shown} of {total} pictures, as the image encoder sees them: another "
        "space than "
        "that of passages, in which words have a place, too, though seldom amid the pictures. The two "
        "directions show {share} of their differences. A photo stands for the words beside it.",
        "map_sample": "This is a sample, evenly spread.",
    },
    "ko": {
        "map_tab": "지도",
        "map_kind": "보이는 것",
        "map_chunk": "글, 내용에 따라",
        "map_picture": "사진, 모습에 따라",
        "map_query": "글이나 사진이 어디에 놓이는지 보기",
        "map_show": "보기",
        "map_here": "질문",
        "map_name": "항목 {count}개의 지도. 화살표 키로 다음 항목으로 갑니다",
        "map_hint": "점을 가리키면 무엇인지 보이고, 누르면 그대로 남습니다.",
        "map_open": "문서 열기",
        "map_nearest": "모든 방향에서 실제로 가장 가까운 항목",
        "map_no_chunk": "색인에 글이 없습니다.",
        "map_no_picture": "색인에 사진이 없습니다.",
        "map_said_chunk": "글 {total}개 가운데 {shown}개를 글 인코더가 보는 대로 놓았습니다. 두 "
        "방향은 차이의 "
        "{share}만 보여 주므로, 나란히 있어도 서로 비슷하지 않을 수 있습니다. 사진은 여기에 놓이지 "
        "않습니다.",
        "map_said_picture": "사진 {total}개 가운데 {shown}개를 사진 인코더가 보는 대로 놓았습니다. "
        "글과는 다른 "
        "공간이며, 낱말도 놓이지만 사진들 사이에 놓이는 일은 드뭅니다. 두 방향은 차이의 {share}만 "
        "보여 줍니다. "
        "사진이 있으면 함께 쓴 글 대신 사진으로 찾습니다.",
        "map_sample": "고르게 뽑은 일부입니다.",
    },
}
