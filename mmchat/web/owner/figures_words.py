"""The words of the panel of figures."""

from __future__ import annotations

from mmchat.web.owner.house import Words

WORDS: Words = {
    "en": {
        "figures_tab": "Figures",
        "figures_none_kept": "Without conversations that are kept there are no figures: the setting "
        "sessions.keep is false.",
        "figures_period": "Time",
        "figures_days": "Last {days} days",
        "figures_per_day": "Questions per day",
        "figures_took": "Seconds until an answer was there",
        "figures_table": "All figures, day by day",
        "figures_day": "Day",
        "figures_series": "Series",
        "figures_questions": "Questions",
        "figures_answered": "Answered",
        "figures_partial": "Partly",
        "figures_abstained": "Not known",
        "figures_refused": "Refused",
        "figures_left_to_person": "Left to a person",
        "figures_unfinished": "Not finished",
        "figures_passed_on": "Conversations passed on",
        "figures_disliked": "Thumb down",
        "figures_seconds": "Seconds",
        "figures_median_seconds": "Median",
        "figures_slow_seconds": "95 of 100 within",
        "figures_in_seconds": "{seconds:.1f} s",
        "figures_before": "before: {value}",
        "figures_told": "The last {days} days, today among them; “before” are as many days before "
        "these. Days "
        "begin at midnight where the server is. Times are of answers that were searched for.",
    },
    "ko": {
        "figures_tab": "통계",
        "figures_none_kept": "보관하는 대화가 없어 통계가 없습니다: sessions.keep 설정이 false입니다.",
        "figures_period": "기간",
        "figures_days": "최근 {days}일",
        "figures_per_day": "하루 질문 수",
        "figures_took": "답변까지 걸린 시간(초)",
        "figures_table": "날짜별 모든 수치",
        "figures_day": "날짜",
        "figures_series": "구분",
        "figures_questions": "질문",
        "figures_answered": "답함",
        "figures_partial": "일부만 답함",
        "figures_abstained": "모름",
        "figures_refused": "거절",
        "figures_left_to_person": "담당자에게 맡김",
        "figures_unfinished": "끝나지 않음",
        "figures_passed_on": "넘긴 대화",
        "figures_disliked": "싫어요",
        "figures_seconds": "초",
        "figures_median_seconds": "중앙값",
        "figures_slow_seconds": "100개 중 95개",
        "figures_in_seconds": "{seconds:.1f}초",
        "figures_before": "이전: {value}",
        "figures_told": "오늘까지 {days}일이며, ‘이전’은 그 앞의 같은 기간입니다. 하루는 서버가 "
        "있는 곳의 자정에 "
        "시작합니다. 시간은 문서를 찾아 답한 경우만 셉니다.",
    },
}
