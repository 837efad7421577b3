"""PUL Studio, the Streamlit app. It reaches `pul` only through `app.services`."""
