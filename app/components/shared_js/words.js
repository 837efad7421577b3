// The words for whom the images show; the server puts in those that it was started with (app/wording.py).
export const PERSON = "person";
export const PEOPLE = "people";
