from course_utils import wording


def test_words_are_counted_without_the_last_of_each_text():
    lexicon = set(wording.words("Fair is foul; 'tis"))
    assert lexicon == {"fair", "is", "foul", "'tis"}
    assert wording.describe(["Foul IS fog fou", "foul, is fa"], lexicon) == (4 / 5, 3 / 5)
