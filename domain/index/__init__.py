"""What is kept: names, files, releases and the pages that installers read."""
