"""The pages about rules: list, editor, test box, history, comparison with stored messages, import.

`fields` derives the form from the models of `app.rules.definition`; `form` reads it and `views`
prepares it for the template. `phrases` has what the rules' own functions say in English.
"""
