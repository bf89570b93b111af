"""What ``wiretape run`` writes of its calls when its command has ended, for people and CI. Around ``call_log.call``.

``kinds``     which reports there are, and what the user has asked for
``cases``     calls, gathered: of those that are the same is told once
``github``    annotations and a summary of a job, as GitHub Actions reads them
``junit``     JUnit's XML, as Jenkins and GitLab read it
``writing``   the files: opened before the command runs, written when it has ended
"""
